/** A shell of a newcomer: an empty home, an environment with next to nothing in it. */

/** Where a session is: its folder, and how the last command ended. */
export interface Place {
  readonly folder: string;
  readonly code: number;
}

/** What a command wrote, and where the session is afterwards. */
export interface Said {
  readonly text: string;
  readonly place: Place;
}

/** A session's home and what its environment has besides. */
export interface Session {
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Without these no registry answers where there are certificates or proxies of a place's own. */
const network =
  /^(npm_config_.*|(https?|no)_proxy|.*_ca_?(certs|file|info|bundle).*|ssl_cert_.*)$/i;

/**
 * PATH, HOME, what the network needs, and `NO_COLOR`, since a log has no colours; `XDG_RUNTIME_DIR`
 * keeps a graphics driver from complaining that it is missing.
 */
export const bareEnv = (home: string, path: string): Readonly<Record<string, string>> => ({
  ...Object.fromEntries(Object.entries(Deno.env.toObject()).filter(([name]) => network.test(name))),
  PATH: path,
  HOME: home,
  NO_COLOR: "1",
  XDG_RUNTIME_DIR: home,
});

/** Runs a command where the last one left off; `$?` is how that ended. */
export const runIn =
  ({ home, env }: Session) => async (place: Place, command: string): Promise<Said> => {
    const left = `${home}/.place`;
    const keep = `trap 'code=$?; pwd > "${left}"; exit $code' EXIT`;
    const { code, stdout } = await new Deno.Command("sh", {
      args: ["-c", `exec 2>&1\n${keep}\n(exit ${place.code})\n${command}`],
      cwd: place.folder,
      clearEnv: true,
      env: { ...env },
      stdin: "null",
    }).output();
    const folder = (await Deno.readTextFile(left)).trim();
    return { text: new TextDecoder().decode(stdout), place: { folder, code } };
  };
