/**
 * Addresses of modules beside a module, for workers.
 *
 * @module
 */

/**
 * The address of the module `name` beside the one at `from`: it ends in `.ts` here and on JSR, in
 * `.js` where a package for npm was made of it.
 */
export const besideUrl = (name: string, from: string): URL =>
  new URL(`./${name}${from.endsWith(".js") ? ".js" : ".ts"}`, from);
