/**
 * The only file that names the TensorFlow.js packages: everything else imports them from here.
 *
 * @module
 */
import * as tf from "npm:@tensorflow/tfjs@4.22.0";
export { tf };
export type {
  DataId,
  KernelBackend,
  NamedAttrMap,
  NamedTensorInfoMap,
  Rank,
  Tensor,
  Tensor1D,
  Tensor2D,
  Tensor3D,
  Tensor4D,
  TensorContainer,
  TensorInfo,
} from "npm:@tensorflow/tfjs@4.22.0";
