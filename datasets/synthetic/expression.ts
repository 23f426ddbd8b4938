/**
 * What a face does in one frame, and where the head is.
 *
 * @module
 */

/** The state of the moving parts of a face. */
export interface Expression {
  /** How far the jaw is dropped, in mm: 0 closed, 25 wide open. */
  readonly jaw: number;
  /** −1 sad, 0 neutral, 1 a broad smile. */
  readonly smile: number;
  /** 0 to 1: rounded, pushed-out lips. */
  readonly pucker: number;
  /** 0 eyes as open as this person's are, 1 closed. */
  readonly blink: number;
  /** −1 frowning, 1 raised. */
  readonly brows: number;
  /** Where the eyes look beside the head's own direction, −1 to 1: right of the picture, down. */
  readonly gazeX: number;
  readonly gazeY: number;
}

/** Where the head is: angles in radians (see `rotation`), offsets in mm. */
export interface Pose {
  readonly yaw: number;
  readonly pitch: number;
  readonly roll: number;
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

/** A closed mouth, open eyes, looking ahead. */
export const NEUTRAL: Expression = {
  jaw: 0,
  smile: 0,
  pucker: 0,
  blink: 0,
  brows: 0,
  gazeX: 0,
  gazeY: 0,
};
