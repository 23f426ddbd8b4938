#!/bin/sh
# Correctness and speed on a machine with a GPU that has nothing but its driver and a Vulkan loader.
#
#   bench/gpu.sh pack FILE.tar     here: Deno, the project and its packages into one archive
#   tar xf FILE.tar                there
#   headshot/bench/gpu.sh [OUT]    there: conformance, then the bench of every preset; no network
#
# OUT (gpu.json) gets one object: the adapter, whether each test passed, the reports of the benches,
# what measured plans are worth, times of few-shot learning and of driving.
# Settings: PRESETS="toy-64 small-128 paper-256", RUNS=15, SOFTWARE=1 for a software adapter too,
# TESTS="…" other test files or none, LIMIT=1800 seconds a step, PLANS="toy-64 …" presets whose step
# is measured with standard and with measured plans (all of PRESETS; none leaves it out),
# FEW_SHOT="toy-64 …" presets whose few-shot times are measured, driving in f16 too (likewise).
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)

pack() {
  stage=$(mktemp -d)
  trap 'rm -rf "$stage"' EXIT
  root=$stage/headshot
  mkdir "$root"
  git -C "$here" archive HEAD | tar x -C "$root"
  cp "$(command -v deno)" "$root/deno"
  # Into a cache of its own: what is carried is what is needed, and it is whole.
  (cd "$root" && DENO_DIR=$root/cache ./deno cache --quiet \
    cli.ts backends/face_worker.ts tests/backends/*.ts tests/backends/webgpu/*.ts tests/pipeline/programs/storage_test.ts \
    bench/*.ts)
  # Maps are for debuggers, and half of it.
  find "$root/cache" -name '*.map' -delete
  rm -rf "$root/cache/gen" "$root"/cache/*_cache_v*
  tar c -C "$stage" headshot > "$1"
  echo "$1: $(wc -c < "$1") bytes" >&2
}

if [ "${1-}" = pack ]; then
  pack "${2:?a name for the archive}"
  exit
fi

out=$(realpath -m "${1:-gpu.json}")
cd "$here"
deno=$here/deno
[ -x "$deno" ] || deno=$(command -v deno)
[ ! -d "$here/cache" ] || export DENO_DIR="$here/cache"
export DENO_NO_UPDATE_CHECK=1 HEADSHOT_REQUIRE_WEBGPU=1
# Vulkan loaders want one; services and containers have none.
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/tmp}"
parts=$(mktemp -d)
trap 'rm -rf "$parts"' EXIT

adapter='
const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
if (!adapter) throw new Error("Cannot measure: there is no WebGPU adapter, expected a GPU");
const { vendor, architecture, device, description, isFallbackAdapter } = adapter.info;
const limits = Object.fromEntries(
  ["maxBufferSize", "maxStorageBufferBindingSize", "maxStorageBuffersPerShaderStage"]
    .map((name) => [name, adapter.limits[name]]),
);
const features = [...adapter.features].sort();
console.log(JSON.stringify(
  { vendor, architecture, device, description, isFallbackAdapter, limits, features },
));
'
"$deno" eval --no-lock "$adapter" > "$parts/adapter.json"
cat "$parts/adapter.json" >&2
if grep -q '"isFallbackAdapter":true' "$parts/adapter.json" && [ "${SOFTWARE-}" != 1 ]; then
  echo "This is a software adapter, expected a GPU (SOFTWARE=1 goes on all the same)" >&2
  exit 1
fi

limited() {
  if command -v timeout > /dev/null; then timeout "${LIMIT:-1800}" "$@"; else "$@"; fi
}

status=0
for file in ${TESTS-tests/backends/conformance_webgpu_test.ts tests/backends/webgpu_test.ts \
  tests/backends/whole_step_test.ts tests/backends/webgpu/optimiser_test.ts \
  tests/backends/webgpu/packed_test.ts tests/backends/webgpu/plan_test.ts \
  tests/backends/webgpu/half_test.ts tests/pipeline/programs/storage_test.ts}; do
  name=$(basename "$file" .ts)
  if limited "$deno" test --cached-only --no-prompt --no-check -A "$file" \
    > "$parts/$name.log" 2>&1; then
    echo true > "$parts/$name.test"
  else
    echo false > "$parts/$name.test"
    status=1
  fi
  tail -n 40 "$parts/$name.log" >&2
done

for preset in ${PRESETS:-toy-64 small-128 paper-256}; do
  # One that fails (memory) leaves the others.
  if limited "$deno" run --cached-only --no-prompt --no-check -A cli.ts bench --json \
    --backend webgpu --preset "$preset" --only meta-step,frame,embed --runs "${RUNS:-15}" \
    > "$parts/$preset.report" 2> "$parts/$preset.log"; then :; else
    status=1
    rm -f "$parts/$preset.report"
  fi
  tail -n 8 "$parts/$preset.log" >&2
done

for preset in ${PLANS-${PRESETS:-toy-64 small-128 paper-256}}; do
  if limited "$deno" run --cached-only --no-prompt --no-check -A bench/plans.ts \
    "$preset" "$parts/tiles.json" "${RUNS:-15}" \
    > "$parts/plans-$preset.plans" 2> "$parts/plans-$preset.log"; then :; else
    status=1
    rm -f "$parts/plans-$preset.plans"
  fi
  tail -n 8 "$parts/plans-$preset.log" >&2
done

for preset in ${FEW_SHOT-${PRESETS:-toy-64 small-128 paper-256}}; do
  if limited "$deno" run --cached-only --no-prompt --no-check -A bench/few_shot_bench.ts \
    --preset "$preset" --backend webgpu --json \
    > "$parts/few-shot-$preset.person" 2> "$parts/few-shot-$preset.log"; then :; else
    status=1
    rm -f "$parts/few-shot-$preset.person"
  fi
  tail -n 8 "$parts/few-shot-$preset.log" >&2
done

collect='
const [folder, out] = Deno.args;
const files = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
const read = (name) => Deno.readTextFileSync(`${folder}/${name}`);
const ending = (end) => files.filter((name) => name.endsWith(end));
const log = (name) => read(name.replace(/\.\w+$/, ".log")).split("\n").slice(-60).join("\n");
const tests = ending(".test").map((name) => {
  const passed = JSON.parse(read(name));
  return { name: name.slice(0, -5), passed, ...(passed ? {} : { log: log(name) }) };
});
const benches = ending(".report").map((name) => JSON.parse(read(name)));
const plans = ending(".plans").map((name) => JSON.parse(read(name)));
const people = ending(".person").map((name) => JSON.parse(read(name)));
const failed = ending(".log").filter((name) =>
  !["test", "report", "plans", "person"].some((end) => files.includes(name.replace(/log$/, end)))
).map((name) => ({ name: name.slice(0, -4), log: log(name) }));
Deno.writeTextFileSync(out, JSON.stringify(
  {
    adapter: JSON.parse(read("adapter.json")),
    deno: Deno.version.deno,
    tests,
    benches,
    plans,
    people,
    failed,
  },
  null,
  2,
) + "\n");
'
printf '%s' "$collect" > "$parts/collect.js"
"$deno" run --no-lock --allow-read --allow-write "$parts/collect.js" "$parts" "$out"
echo "$out" >&2
exit $status
