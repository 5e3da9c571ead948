/**
 * Return the length of the n-th wait in a row, in seconds. It is random, so that clients that lost the
 * same server at the same moment do not all reconnect at the same moment.
 */
export const backoff = (n: number, random: () => number = Math.random): number =>
  MIN + random() * (Math.min(MAX, 2 ** n) - MIN);

const MIN = 0.5;
const MAX = 20;
