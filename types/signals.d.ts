import type { Server as NetServer } from 'node:net';

export interface SignalOptions {
  /** Milliseconds for everything, 9000; then requests that are left are cut off, and stderr says how many. */
  timeoutMs?: number;
  /** Milliseconds for which the service goes on as ever, until load balancers have noticed; 0. */
  delayMs?: number;
  /** Milliseconds for which a connection that is silent is still listened to, as a request may be under way; 1000. */
  idleMs?: number;
  /** `['SIGTERM', 'SIGINT']`. */
  signals?: NodeJS.Signals[];
  /** Runs when the last request is answered, before the pools are drained. */
  onShutdown?: () => unknown;
}

/**
 * Has a service end well: on the first signal the server accepts nothing new and answers what it has accepted; then this
 * process's pools are drained, and the process exits with 0, upon which logs are written out. A second signal exits at
 * once. In a cluster's primary, for which the server may be left out, the workers are told to do the same, and waited for.
 * @returns a function that takes the handlers away.
 */
export function installSignalHandlers(server?: NetServer | null, options?: SignalOptions): () => void;
