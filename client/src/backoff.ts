/** Seconds of the n-th wait in a row: random, so that a crowd that lost its server comes back spread. */
export const backoff = (n: number, random: () => number = Math.random): number =>
  MIN + random() * (Math.min(MAX, 2 ** n) - MIN);

const MIN = 0.5;
const MAX = 20;
