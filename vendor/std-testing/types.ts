/**
 * Checks of types at compile time.
 *
 * @module
 */

/** Compiles only where the type argument is what the value says: `assertType<IsExact<A, B>>(true)`. */
export const assertType = <T extends boolean>(_expectTrue: T): void => {};

/** Compiles only for `true`. */
export type AssertTrue<T extends true> = T;
/** Compiles only for `false`. */
export type AssertFalse<T extends false> = T;

/** Whether the type is `any`. */
export type IsAny<T> = 0 extends 1 & T ? true : false;
/** Whether the type is `never`. */
export type IsNever<T> = [T] extends [never] ? true : false;
/** Whether the type is `unknown`. */
export type IsUnknown<T> = IsAny<T> extends true ? false : unknown extends T ? true : false;
/** Whether the type may be null or undefined. */
export type IsNullable<T> = Extract<T, null | undefined> extends never ? false : true;
/** Whether the union `T` has `U`. */
export type Has<T, U> = IsAny<T> extends true ? true
  : IsAny<U> extends true ? false
  : Extract<T, U> extends never ? false
  : true;
/** Whether the union `T` lacks `U`. */
export type NotHas<T, U> = Has<T, U> extends false ? true : false;
/** Whether two types are the same, by how the compiler compares two generic signatures. */
export type IsExact<T, U> = (<X>() => X extends T ? 1 : 2) extends (<X>() => X extends U ? 1 : 2)
  ? true
  : false;
