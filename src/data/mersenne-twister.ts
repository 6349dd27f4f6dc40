/**
 * MT19937 (Matsumoto & Nishimura 1998) and the permutation that PyTorch draws with it on a CPU: z = random() mod (n - i), swap i and i + z.
 */

const [SIZE, SHIFT] = [624, 397];

/** Uniform 32-bit words for a 32-bit seed. */
export function mersenneTwister(seed: number): () => number {
  const state = new Uint32Array(SIZE);
  state[0] = seed;
  for (let i = 1; i < SIZE; i++) state[i] = Math.imul(1812433253, state[i - 1] ^ (state[i - 1] >>> 30)) + i;
  let next = SIZE;
  const refill = () => {
    for (let i = 0; i < SIZE; i++) {
      const mixed = (state[i] & 0x80000000) | (state[(i + 1) % SIZE] & 0x7fffffff);
      state[i] = state[(i + SHIFT) % SIZE] ^ (mixed >>> 1) ^ (mixed & 1 ? 0x9908b0df : 0);
    }
    next = 0;
  };
  return () => {
    if (next === SIZE) refill();
    let y = state[next++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  };
}

/** torch.randperm(count) after torch.manual_seed(seed). */
export function torchPermutation(count: number, seed: number): Uint32Array {
  const random = mersenneTwister(seed);
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = 0; i < count - 1; i++) {
    const j = i + (random() % (count - i));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
