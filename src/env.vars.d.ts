/**
 * Variables and secrets that a deployment may set. They are not in wrangler.toml, since a secret must not be and since
 * each may be left out; `wrangler types` therefore does not know them.
 */
interface __BaseEnv_Env {
  /** Token of the role that may do everything. Unset: the admin API is disabled. */
  ADMIN_TOKEN?: string;
  /** Token of the role that registers origins. Unset: no such role. */
  REGISTRAR_TOKEN?: string;
  /** Token of the role that reads. Unset: no such role. */
  VIEWER_TOKEN?: string;
  /** Host under which `/_sluice/` is the gateway's own. Unset: under every host. */
  ADMIN_HOST?: string;
  /** "true": origins may have loopback, private and link-local addresses. For development only. */
  ALLOW_PRIVATE_ORIGINS?: string;
}
