/**
 * A system's OpenBLAS, called through Deno's foreign function interface on the heap of the wasm
 * backend: nothing is copied, the library gets addresses of the process.
 *
 * @module
 */

/** Products of row-major float32 matrices by OpenBLAS. */
export interface Blas {
  /** What it is: "OpenBLAS 0.3.21 for Zen, 2 threads". */
  readonly label: string;
  /** How many threads compute. */
  readonly threads: number;
  /** y = a · b, or y += a · b. */
  readonly multiply: (product: BlasProduct) => void;
  /** Gives the library back. */
  readonly close: () => void;
}

/** One product [rows, inner] · [inner, columns]; operands as they are after transposing. */
export interface BlasProduct {
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  /** Addresses of the process, and numbers from a row to the next. */
  readonly a: number;
  readonly b: number;
  readonly y: number;
  readonly pitchA: number;
  readonly pitchB: number;
  readonly pitchY: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  /** Whether the product is added to what y holds. */
  readonly add: boolean;
}

const symbols = {
  cblas_sgemm: {
    parameters: [
      ...["i32", "i32", "i32", "i32", "i32", "i32"] as const, // order, transposes, m, n, k
      ...["f32", "usize", "i32", "usize", "i32", "f32", "usize", "i32"] as const,
    ],
    result: "void",
  },
  openblas_set_num_threads: { parameters: ["i32"], result: "void" },
  openblas_get_num_threads: { parameters: [], result: "i32" },
  openblas_get_config: { parameters: [], result: "pointer" },
  openblas_get_corename: { parameters: [], result: "pointer" },
} as const satisfies Deno.ForeignLibraryInterface;

/** What the library is called; only the first, Debian's, was ever tried. */
export const libraryNames: readonly string[] = Deno.build.os === "darwin"
  ? ["libopenblas.0.dylib", "libopenblas.dylib"]
  : Deno.build.os === "windows"
  ? ["libopenblas.dll"]
  : ["libopenblas.so.0", "libopenblas.so"];

const rowMajor = 101, plain = 111, transposed = 112;

const textAt = (pointer: Deno.PointerValue): string =>
  pointer === null ? "" : Deno.UnsafePointerView.getCString(pointer);

const wrap = (library: Deno.DynamicLibrary<typeof symbols>, wanted: number): Blas => {
  const { symbols: call } = library;
  call.openblas_set_num_threads(wanted);
  const threads = call.openblas_get_num_threads();
  const version = /\d+(\.\d+)+/.exec(textAt(call.openblas_get_config()))?.[0] ?? "";
  return {
    label: `OpenBLAS ${version} for ${textAt(call.openblas_get_corename())}, ` +
      `${threads} thread${threads === 1 ? "" : "s"}`,
    threads,
    multiply: ({ rows, columns, inner, a, b, y, ...how }) =>
      call.cblas_sgemm(
        rowMajor,
        how.transposeA ? transposed : plain,
        how.transposeB ? transposed : plain,
        rows,
        columns,
        inner,
        1,
        BigInt(a),
        how.pitchA,
        BigInt(b),
        how.pitchB,
        how.add ? 1 : 0,
        BigInt(y),
        how.pitchY,
      ),
    close: () => library.close(),
  };
};

const open = (name: string): Deno.DynamicLibrary<typeof symbols> | Error => {
  try {
    return Deno.dlopen(name, symbols);
  } catch (cause) {
    return cause instanceof Error ? cause : new Error(String(cause));
  }
};

/**
 * Opens the first library of the names that is there, for so many threads. Throws a sentence where
 * the permission is missing, or every library.
 */
export const openBlas = (threads: number, names: readonly string[] = libraryNames): Blas => {
  const failures: Error[] = [];
  for (const name of names) {
    const library = open(name);
    if (!(library instanceof Error)) return wrap(library, threads);
    failures.push(library);
  }
  const refused = failures.some((failure) => failure instanceof Deno.errors.NotCapable);
  throw new Error(
    refused
      ? "Cannot use backend native: it calls a library of the system, which no task permits, " +
        "expected deno run --allow-ffi (and what else the task has) cli.ts, or backend wasm"
      : `Cannot use backend native: there is no ${names.join(" or ")} with OpenBLAS's functions, ` +
        "expected the system's OpenBLAS (Debian: libopenblas0), or backend wasm",
    { cause: failures[0] },
  );
};

/** The address in the process at which a shared heap begins; it stays there while it grows. */
export const heapAddress = (heap: Uint8Array): number =>
  // The types know of no shared memory here; Deno does.
  Number(Deno.UnsafePointer.value(Deno.UnsafePointer.of(heap as Uint8Array<ArrayBuffer>)));
