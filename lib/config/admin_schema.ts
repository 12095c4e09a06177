import * as z from "zod";
import { addressValue, patternValue, textValue } from "./config_value.ts";
import { KEY_INFO, optional, withDefault } from "./key_info.ts";
import { optionalPath } from "./optional_path.ts";

/** Keys of `admin.tls`. */
export const ADMIN_TLS_SHAPE = {
  "certificate": optionalPath({
    about:
      "PEM file of the certificate, with those between it and its authority behind it; the API then answers over HTTPS only. It is read again when it changes, and on SIGHUP.",
    absent: "plain HTTP",
  }),
  "key": optionalPath({
    about: "PEM file of the certificate's private key, without a passphrase.",
    absent: "plain HTTP",
  }),
};

/** Keys of `admin`. */
export const ADMIN_SHAPE = {
  "listen": withDefault(addressValue({ portMin: 0 }), {
    type: "address",
    about:
      "Where the admin HTTP API listens. Port 0 takes any free port. Another than a loopback address needs a token.",
    fallback: "127.0.0.1:9595",
  }),
  "read-token-file": optionalPath({
    about:
      "File with the token whose bearer may see everything: 16 to 1024 characters without spaces; one line end at its end is not part of it. It is read again on SIGHUP.",
    absent: "no read token, unless by the next key",
  }),
  "read-token-env": optional(textValue(256), {
    type: "name",
    about: "Environment variable with that token.",
    absent: "no read token, unless by the key before",
  }),
  "admin-token-file": optionalPath({
    about:
      "File with the token whose bearer may see and change everything, as above. Without one a web browser may change nothing, and with a read token alone nobody may.",
    absent: "no admin token, unless by the next key",
  }),
  "admin-token-env": optional(textValue(256), {
    type: "name",
    about: "Environment variable with that token.",
    absent: "no admin token, unless by the key before",
  }),
  "hosts": z.array(
    patternValue(
      /^(?=.{1,253}$)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*$/,
      "must be a host name without a port",
    ),
  ).prefault([]).register(KEY_INFO, {
    type: "list of names",
    about:
      "Further host names under which the API is asked, such as that of a proxy before it. A request whose `Host` is none of these, no IP address, not `localhost`, not the name in listen and not this machine's is refused with 421, so that no web page reaches the API under a name of its own.",
    absent: "no further ones",
    flag: false,
  }),
  "tls": z.strictObject(ADMIN_TLS_SHAPE).prefault({}),
};
