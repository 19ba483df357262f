/** BARE: nothing but the fetch. Nothing on Workers can forward a request for less. */
export default {
  fetch(request, env) {
    const { url } = request;
    return fetch(env.ORIGIN + url.slice(url.indexOf("/", 8)), request);
  },
} satisfies ExportedHandler<{ readonly ORIGIN: string }>;
