/** What is usually written first: one object per client, asked by every request, with a row for every answer. */
import { DurableObject } from "cloudflare:workers";
import { Hono } from "hono";

interface Bindings {
  readonly ORIGIN: string;
  readonly LIMITER: DurableObjectNamespace<NaiveLimiter>;
}

const limit = 1_000_000_000;
const windowMs = 60_000;

export class NaiveLimiter extends DurableObject {
  constructor(ctx: DurableObjectState, env: unknown) {
    super(ctx, env as never);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS hits (bucket INTEGER PRIMARY KEY, count INTEGER NOT NULL)");
  }

  /** Permits left in this window; below 0: refused. */
  take(): number {
    const bucket = Math.floor(Date.now() / windowMs);
    const upsert =
      "INSERT INTO hits VALUES (?, 1) ON CONFLICT (bucket) DO UPDATE SET count = count + 1 RETURNING count";
    return limit - Number(this.ctx.storage.sql.exec(upsert, bucket).one().count);
  }
}

const app = new Hono<{ Bindings: Bindings }>();

app.use(async (c, next) => {
  const left = await c.env.LIMITER.getByName(c.req.header("x-user-id") ?? "").take();
  if (left < 0) return c.text("Too many requests", 429);
  await next();
  c.header("ratelimit", `"default";r=${left}`);
});
app.all("*", async (c) => {
  const { url, raw } = c.req;
  const response = await fetch(c.env.ORIGIN + url.slice(url.indexOf("/", 8)), raw);
  return new Response(response.body, response);
});

export default app;
