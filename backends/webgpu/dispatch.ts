/**
 * Runs our own compute shaders in the command stream of the TensorFlow.js backend. Its own runner
 * allows one output a program; Adam and the norms have several.
 *
 * @module
 */
import type { TensorInfo, WebGPUBackend } from "../tf.ts";

/** A compute shader. What varies its code must be in its key. */
export interface Program {
  /** Names the pipeline. */
  readonly key: string;
  /** Arrays that `body` reads; every one must be used. */
  readonly inputs: readonly string[];
  /** Arrays that `body` writes. */
  readonly outputs: readonly string[];
  /** Those of them that are u32, two halves each, in tensors of int32; the others are f32. */
  readonly halves?: readonly string[];
  /** Numbers that `body` finds as `p.<name>`. */
  readonly parameters: Readonly<Record<string, "i32" | "f32">>;
  /** Threads of a workgroup: at most 256 together. */
  readonly workgroup: readonly [number, number, number];
  /** Declarations outside of `main`: workgroup arrays and functions. */
  readonly declarations?: string;
  /**
   * What `main` does, with `group`, `local`, `groups` (vec3<i32>) and `lane` (the flat local
   * index) in scope.
   */
  readonly body: string;
}

/** Workgroups in x, y and z. */
export type Groups = readonly [number, number, number];

/** The tensors and numbers of one run of a program. */
export interface Call {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly (readonly number[])[];
  readonly parameters: Readonly<Record<string, number>>;
  readonly groups: Groups;
}

/** What WebGPU guarantees; software adapters have more, which tests would not notice. */
const mostBindings = 8;
const mostGroups = 65535;
/** Threads of a workgroup of a program over a flat range. */
export const flatThreads = 256;

/** WGSL for `index` in a program over a flat range: returns from `main` beyond `p.size`. */
export const flatIndex = `
  let index = (group.y * groups.x + group.x) * ${flatThreads} + lane;
  if (index >= p.size) { return; }`;

/** Workgroups that cover a flat range. */
export const flatGroups = (size: number): Groups => {
  const count = Math.ceil(size / flatThreads);
  if (count <= mostGroups) return [count, 1, 1];
  const side = Math.ceil(Math.sqrt(count));
  return [side, Math.ceil(count / side), 1];
};

const source = (
  { inputs, outputs, halves = [], parameters, workgroup, declarations, body }: Program,
): string => {
  const array = (name: string) => `${name}: array<${halves.includes(name) ? "u32" : "f32"}>;`;
  const bindings = [
    ...inputs.map((name) => `var<storage, read> ${array(name)}`),
    ...outputs.map((name) => `var<storage, read_write> ${array(name)}`),
    "var<uniform> p: Parameters;",
  ].map((binding, i) => `@group(0) @binding(${i}) ${binding}`);
  return `
struct Parameters { ${Object.entries(parameters).map(([n, t]) => `${n}: ${t}`).join(", ")} }
${bindings.join("\n")}
${declarations ?? ""}
@compute @workgroup_size(${workgroup.join(", ")})
fn main(
  @builtin(workgroup_id) group_: vec3<u32>, @builtin(num_workgroups) groups_: vec3<u32>,
  @builtin(local_invocation_id) local_: vec3<u32>, @builtin(local_invocation_index) lane_: u32,
) {
  let group = vec3<i32>(group_); let groups = vec3<i32>(groups_);
  let local = vec3<i32>(local_); let lane = i32(lane_);
${body}
}`;
};

/** The parts of the backend that record work; private there, the version is pinned. */
export interface Recorder {
  commandEncoder: GPUCommandEncoder | null;
  computePassEncoder: GPUComputePassEncoder | null;
  dispatchCountInPass: number;
  readonly commandQueueOwnedIds: WeakSet<object>;
  /** Buffers to free once what was recorded is submitted. */
  readonly uniformPendingDisposal: GPUBuffer[];
  /** What is bound for a tensor: its buffer, or its part of one (see `packed.ts`). */
  readonly tensorToBinding: (tensor: TensorInfo) => GPUBindingResource;
}

/** A backend seen as what records its work. */
export const recorderOf = (backend: WebGPUBackend): Recorder => backend as unknown as Recorder;

/** Dispatches after which the queue is submitted, as in the backend itself. */
const batch = 15;

/** A compiled program; asking for its layout at every run would cost as much as the run. */
interface Compiled {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

const pipelines = new WeakMap<WebGPUBackend, Map<string, Compiled>>();

const compile = (backend: WebGPUBackend, program: Program): Compiled => {
  const made = pipelines.get(backend) ?? new Map<string, Compiled>();
  pipelines.set(backend, made);
  const key = `${program.key} ${program.inputs} ${program.workgroup}`;
  const found = made.get(key);
  if (found) return found;
  const { device } = backend;
  const module = device.createShaderModule({ code: source(program), label: key });
  const pipeline = device.createComputePipeline({
    layout: "auto",
    compute: { module, entryPoint: "main" },
    label: key,
  });
  const compiled = { pipeline, layout: pipeline.getBindGroupLayout(0) };
  made.set(key, compiled);
  return compiled;
};

const uniforms = (
  backend: WebGPUBackend,
  program: Program,
  parameters: Readonly<Record<string, number>>,
): GPUBuffer => {
  const names = Object.keys(program.parameters);
  const data = new DataView(new ArrayBuffer(Math.ceil(names.length / 4) * 16));
  names.forEach((name, i) => {
    const value = parameters[name];
    if (value === undefined) throw new Error(`Cannot run ${program.key}: ${name} is missing`);
    if (program.parameters[name] === "i32") data.setInt32(4 * i, value, true);
    else data.setFloat32(4 * i, value, true);
  });
  const usage = GPUBufferUsage.COPY_DST | GPUBufferUsage.UNIFORM;
  const buffer = backend.bufferManager.acquireBuffer(data.byteLength, usage);
  backend.queue.writeBuffer(buffer, 0, data.buffer);
  return buffer;
};

/** Records one run of a program; the outputs are new tensors, in order. */
export const dispatch = (backend: WebGPUBackend, program: Program, call: Call): TensorInfo[] => {
  if (program.inputs.length + program.outputs.length > mostBindings) {
    throw new Error(`Cannot run ${program.key}: expected at most ${mostBindings} arrays`);
  }
  const typeOf = (name = "") => program.halves?.includes(name) ? "int32" : "float32";
  for (const [i, { dtype, shape }] of call.inputs.entries()) {
    const expected = typeOf(program.inputs[i]);
    if (dtype === expected) continue;
    throw new Error(`Cannot run ${program.key}: [${shape}] is ${dtype}, expected ${expected}`);
  }
  const outputs = call.outputs.map((shape, i) =>
    backend.makeTensorInfo([...shape], typeOf(program.outputs[i]))
  );
  const tensors = [...call.inputs, ...outputs];
  const recorder = recorderOf(backend);
  for (const { dataId } of tensors) backend.uploadToGPU(dataId);
  const { pipeline, layout } = compile(backend, program);
  const parameters = uniforms(backend, program, call.parameters);
  const bindGroup = backend.device.createBindGroup({
    layout,
    entries: [
      ...tensors.map((tensor) => recorder.tensorToBinding(tensor)),
      { buffer: parameters },
    ].map((resource, binding) => ({ binding, resource })),
  });
  recorder.uniformPendingDisposal.push(parameters);
  for (const { dataId } of tensors) recorder.commandQueueOwnedIds.add(dataId);
  backend.ensureCommandEncoderReady();
  const pass = recorder.computePassEncoder ?? recorder.commandEncoder?.beginComputePass();
  if (!pass) throw new Error("Cannot record a program: there is no command encoder");
  recorder.computePassEncoder = pass;
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, bindGroup);
  pass.dispatchWorkgroups(...call.groups);
  recorder.dispatchCountInPass++;
  if (recorder.dispatchCountInPass >= batch) {
    backend.endComputePassEncoder();
    backend.submitQueue();
  }
  return outputs;
};
