/**
 * Status flags of OK and EOF packets and of the greeting (MySQL internals:
 * SERVER_STATUS_flags_enum). Names are the server's without `SERVER_`.
 */
export const StatusFlag = {
  STATUS_IN_TRANS: 0x0001,
  STATUS_AUTOCOMMIT: 0x0002,
  MORE_RESULTS_EXISTS: 0x0008,
  SESSION_STATE_CHANGED: 0x4000,
} as const;
