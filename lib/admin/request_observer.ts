/** A request that the admin API has answered, as far as it is counted. */
export interface AdminRequestFacts {
  /** As the client gave it: it may be any word. */
  readonly method: string;
  /** Path of the route that answered, as in its description; else undefined. */
  readonly route: string | undefined;
  /** HTTP status of the answer. */
  readonly status: number;
  /** Until the answer began. */
  readonly seconds: number;
}

/** Is told of each request that the admin API has answered; must not throw. */
export type AdminRequestObserver = (request: AdminRequestFacts) => void;
