/** One call to a Durable Object: its deadline, its errors, and whether it may be made again. */
import { bounds } from "../bounds.ts";
import { GatewayError } from "../errors.ts";
import { answerWithin } from "../within.ts";

/**
 * Calls an object and waits at most `msMax` (`objectCallMsMax`). `call` makes its own stub, since one that failed is broken. An
 * idempotent call is made once more when the platform says that it may help. Throws GatewayError
 * `control_plane_unavailable` when no answer came.
 */
export async function callObject<T>(
  idempotent: boolean,
  call: () => Promise<T>,
  msMax: number = bounds.objectCallMsMax,
): Promise<T> {
  try {
    return await answerWithin(call(), msMax);
  } catch (error) {
    if (idempotent && isRetryable(error)) {
      try {
        return await answerWithin(call(), msMax);
      } catch (again) {
        throw unavailable(again);
      }
    }
    throw unavailable(error);
  }
}

function isRetryable(error: unknown): boolean {
  const { retryable, overloaded } = error as { retryable?: boolean; overloaded?: boolean };
  return retryable === true && overloaded !== true;
}

function unavailable(error: unknown): GatewayError {
  return new GatewayError("control_plane_unavailable", { reason: String(error) });
}
