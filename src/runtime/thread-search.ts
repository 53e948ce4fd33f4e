const longStepMs = 50;
/** Weights that a memory of 4 GB/s, slower than any machine of today, reads in a long step. */
const longStepBytes = 2e8;
const fewestSteps = 3;
const windowMs = 50;
const worthMore = 1.1;

/**
 * Finds the number of threads that decodes fastest, by trying: all, half, a quarter, ..., 1.
 *
 * A small model loses more to waking and waiting for threads than it gains from them: the 7 M sample
 * decoded 250 tokens/s on both of 2 cores and 990 on one of them, a 550 M model 22 and 12 (median
 * steps, llama.cpp v0.5.0, 2 shared vCPU); with other work on the machine the 250 fell to 20. Each
 * count decodes for 50 ms and is judged by its mean step without the worst one; twice the threads
 * must be 10 % faster. The search ends at the first count that loses, and does not start for a model
 * of 200 MB or more whose fastest step takes 50 ms: then all cores help. A smaller model that takes
 * as long waits for threads that other work keeps from running: the sample decoded 5 tokens/s on both
 * cores of a busy machine, 500 on one.
 *
 * @param most - Threads to begin with: the cores this process may use.
 * @param weightBytes - Size of the weights that a step reads.
 * @param step - Decodes one token with that many threads.
 * @param now - Milliseconds, from any start.
 */
export async function fastestThreads(
  { most, weightBytes }: { readonly most: number; readonly weightBytes: number },
  step: (threads: number) => Promise<void>,
  now: () => number = () => performance.now(),
): Promise<number> {
  const timed = async (threads: number) => {
    const start = now();
    await step(threads);
    return now() - start;
  };
  await timed(most);
  let best = { threads: most, ms: Infinity };
  for (let threads = most; threads >= 1; threads = Math.floor(threads / 2)) {
    const { mean, least } = await sample(() => timed(threads));
    const isLarge = weightBytes >= longStepBytes && least >= longStepMs;
    if (threads === most && isLarge) return most;
    if (mean > best.ms * worthMore) break;
    best = { threads, ms: mean };
  }
  return best.threads;
}

/** Times steps for the window; the mean leaves out the worst, which may be a stall from outside. */
async function sample(timed: () => Promise<number>): Promise<{ mean: number; least: number }> {
  const steps: number[] = [];
  let spent = 0;
  while (steps.length < fewestSteps || spent < windowMs) {
    const ms = await timed();
    steps.push(ms);
    spent += ms;
  }
  const worst = Math.max(...steps);
  return { mean: (spent - worst) / (steps.length - 1), least: Math.min(...steps) };
}
