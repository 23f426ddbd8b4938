// Threads: one block of memory that all instances see, in which the main thread publishes a phase
// cut into chunks. Whoever is free takes the next chunk; how work is cut never depends on the
// number of threads, so results do not either.
import { dispatch } from "./phases";

// Each on a cache line of its own.
const TICKET: usize = 0; // chunks not taken yet; 0 and below: nothing to do
const DONE: usize = 64; // chunks finished
const SLEEPERS: usize = 128;
const WAKE: usize = 192; // what sleepers wait on
const STOP: usize = 256;
const PHASE: usize = 320;
const CHUNKS: usize = 324;
const WAITING: usize = 328; // whether the main thread sleeps until DONE moves
const JOB: usize = 384; // parameters of the job
const FRAMES: usize = 1024; // what a tile works on, 64 bytes a thread

/** Looks at DONE before the main thread sleeps: some 20 microseconds. */
const PATIENCE: i32 = 20000;
/** Nanoseconds after which it looks again in any case. */
const NAP: i64 = 2000000;

let control: usize = 0;
let threads: i32 = 1;
let mayWait: i32 = 0;

/**
 * Tells this instance where the shared block is, how many threads there are, and whether this
 * thread may sleep.
 */
export function attach(address: usize, count: i32, sleeps: i32): void {
  control = address;
  threads = count;
  mayWait = sleeps;
}

/** Parameter i of the job: an address or a count. */
@inline export function job(i: usize): usize {
  return load<usize>(control + (i << 2), JOB);
}

/** Parameter i of the job as a signed number. */
@inline export function count(i: usize): i32 {
  return load<i32>(control + (i << 2), JOB);
}

/** Where a thread keeps what `rowTile` works on. */
@inline export function frameOf(thread: i32): usize {
  return control + FRAMES + (<usize>thread << 6);
}

/** Parameter i of the job as a real number. */
@inline export function real(i: usize): f32 {
  return load<f32>(control + (i << 2), JOB);
}

@inline export function set<T>(i: usize, value: T): void {
  store<T>(control + (i << 2), value, JOB);
}

function work(thread: i32): void {
  while (atomic.load<i32>(control, TICKET) > 0) {
    const left = atomic.sub<i32>(control, 1, TICKET);
    if (left <= 0) return;
    dispatch(load<i32>(control, PHASE), load<i32>(control, CHUNKS) - left, thread);
    atomic.add<i32>(control, 1, DONE);
    if (thread != 0 && atomic.load<i32>(control, WAITING) != 0) atomic.notify(control + DONE, 1);
  }
}

/** Runs chunks 0 … chunks − 1 of a phase and returns when all are done. Main thread only. */
export function parallel(phase: i32, chunks: i32): void {
  if (threads == 1 || chunks == 1) {
    for (let i = 0; i < chunks; i++) dispatch(phase, i, 0);
    return;
  }
  store<i32>(control, phase, PHASE);
  store<i32>(control, chunks, CHUNKS);
  atomic.store<i32>(control, 0, DONE);
  atomic.store<i32>(control, chunks, TICKET);
  if (atomic.load<i32>(control, SLEEPERS) > 0) wake();
  work(0);
  for (let looks = 0; atomic.load<i32>(control, DONE) < chunks; looks++) {
    if (looks >= PATIENCE && mayWait) rest(chunks);
  }
}

/** Sleeps until the others are done: they may be waiting for this very processor. */
function rest(chunks: i32): void {
  atomic.store<i32>(control, 1, WAITING);
  const done = atomic.load<i32>(control, DONE);
  if (done < chunks) atomic.wait<i32>(control + DONE, done, NAP);
  atomic.store<i32>(control, 0, WAITING);
}

function wake(): void {
  atomic.add<i32>(control, 1, WAKE);
  atomic.notify(control + WAKE, -1);
}

/** What every other thread runs: works, spins for a while after the last chunk, then sleeps. */
export function serve(thread: i32, spins: i32): void {
  while (atomic.load<i32>(control, STOP) == 0) {
    let idle = 0;
    while (idle < spins && atomic.load<i32>(control, STOP) == 0) {
      if (atomic.load<i32>(control, TICKET) > 0) {
        work(thread);
        idle = 0;
      } else idle++;
    }
    const seen = atomic.load<i32>(control, WAKE);
    atomic.add<i32>(control, 1, SLEEPERS);
    if (atomic.load<i32>(control, TICKET) <= 0 && atomic.load<i32>(control, STOP) == 0) {
      atomic.wait<i32>(control + WAKE, seen, -1);
    }
    atomic.sub<i32>(control, 1, SLEEPERS);
  }
}

/** Makes every `serve` return. */
export function stop(): void {
  atomic.store<i32>(control, 1, STOP);
  wake();
}
