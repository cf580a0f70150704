import { importsOf, type SourceFile } from './source-files.ts'

interface Rule {
  readonly from: RegExp
  readonly never: RegExp
  readonly why: string
}

const builtin =
  /^(node:|(fs|path|os|net|http|https|crypto|stream|events|util|url|child_process|worker_threads|zlib|tls|dns|buffer|process)(\/|$))/

const rules: readonly Rule[] = [
  { from: /^shared\//, never: /^(firmware-bridge|edge|hub|scripts|test)\//, why: 'shared is the bottom' },
  {
    from: /^shared\/(primitives|contracts|protocol|capabilities|calibration|rpc)\//,
    never: /^shared\/(links|storage|programs|clients|labs)\//,
    why: 'pure folders import pure folders',
  },
  {
    from: /^shared\/(primitives|contracts|protocol|capabilities|calibration|rpc)\//,
    never: builtin,
    why: 'runs in a browser',
  },
  {
    from: /^firmware-bridge\//,
    never: /^(edge|hub|scripts|test)\//,
    why: 'the bridge knows shared only',
  },
  { from: /^edge\//, never: /^(hub|scripts|test)\//, why: 'a node never imports the hub' },
  { from: /^hub\//, never: /^(edge|firmware-bridge|scripts|test)\//, why: 'the hub never imports a node' },
  {
    from: /^hub\/web\/src\//,
    never: /^(shared\/(links|storage|programs)\/|shared\/clients\/(?!typescript\/)|hub\/(?!web\/))/,
    why: 'the page speaks to the hub over HTTP, and to services by the client',
  },
  {
    from: /^hub\/web\/src\/(?!services\/)/,
    never: /^shared\/clients\//,
    why: 'only the page of a service calls services',
  },
  { from: /^hub\/web\/src\//, never: builtin, why: 'runs in a browser' },
  {
    from: /^scripts\/(?!start\/|bench\/|generate\/)/,
    // What a machine has is looked at, and a driver is made and tested, without a node.
    never: /^edge\/(?!(discovery|driver-kit)\/)/,
    why: 'only scripts/start brings a node into a process with a hub',
  },
  {
    // Boards on a person's own machine are flashed without a node, too.
    from: /^scripts\/(?!start\/|bench\/|generate\/|cli\/board\/)/,
    never: /^firmware-bridge\//,
    why: 'wires are a node’s, or those of fernlab board',
  },
]

/** Breaches of the import direction, one a line: `edge/main.ts imports hub/main.ts: a node never imports the hub`. */
export function importBreaches(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    importsOf(file).flatMap((target) =>
      rules
        .filter((rule) => rule.from.test(file.path) && rule.never.test(target))
        .map((rule) => `${file.path} imports ${target}: ${rule.why}`),
    ),
  )
}
