/** A proxy as the documentation of `hono/proxy` shows it. */
import { Hono } from "hono";
import { proxy } from "hono/proxy";

const app = new Hono<{ Bindings: { readonly ORIGIN: string } }>();

app.all("*", (c) => {
  const { url } = c.req;
  return proxy(c.env.ORIGIN + url.slice(url.indexOf("/", 8)), {
    raw: c.req.raw,
    headers: { ...c.req.header(), "x-forwarded-host": c.req.header("host") },
  });
});

export default app;
