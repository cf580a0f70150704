// Imports point one way: shared ← firmware-bridge ← edge, shared ← hub; only scripts/start knows both hub and edge.
const pure = '^shared/(primitives|contracts|protocol|capabilities|rpc)/'

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Two files that import each other cannot be read, tested or loaded apart.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'pure-shared-does-no-io',
      comment: 'These folders run in a browser.',
      severity: 'error',
      from: { path: pure },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'pure-shared-imports-pure-shared',
      severity: 'error',
      from: { path: pure },
      to: { path: '^(shared/(links|storage|programs|clients|labs)|firmware-bridge|edge|hub|scripts|test)/' },
    },
    {
      name: 'shared-is-the-bottom',
      severity: 'error',
      from: { path: '^shared/' },
      to: { path: '^(firmware-bridge|edge|hub|scripts|test)/' },
    },
    {
      name: 'firmware-bridge-knows-shared-only',
      severity: 'error',
      from: { path: '^firmware-bridge/' },
      to: { path: '^(edge|hub|scripts|test)/' },
    },
    { name: 'edge-never-hub', severity: 'error', from: { path: '^edge/' }, to: { path: '^(hub|scripts|test)/' } },
    {
      name: 'hub-never-edge',
      severity: 'error',
      from: { path: '^hub/' },
      to: { path: '^(firmware-bridge|edge|scripts|test)/' },
    },
    {
      name: 'web-imports-pure-shared',
      comment: 'The page runs in a browser; it speaks to the hub over HTTP, and to services by the client.',
      severity: 'error',
      from: { path: '^hub/web/src/' },
      to: {
        path: '^(shared/(links|storage|programs)/|shared/clients/(?!typescript/)|hub/(?!web/|node_modules/))',
      },
    },
    {
      name: 'only-the-page-of-a-service-calls-services',
      severity: 'error',
      from: { path: '^hub/web/src/(?!services/)' },
      to: { path: '^shared/clients/' },
    },
    {
      name: 'hub-imports-no-web-source',
      severity: 'error',
      from: { path: '^hub/(?!web/)' },
      to: { path: '^hub/web/src/' },
    },
    {
      name: 'only-start-composes-hub-and-edge',
      severity: 'error',
      // What a machine has is looked at, a driver is tested, and a board is flashed, without a node.
      from: { path: '^scripts/(?!start/|bench/|generate/|cli/board/)' },
      to: { path: '^(edge|firmware-bridge)/', pathNot: '^edge/(discovery|driver-kit)/' },
    },
    {
      name: 'resolvable',
      severity: 'error',
      // A lab's own page takes its library from the hub's second origin, a new driver its module from the node.
      from: { pathNot: '^hub/web/|^shared/labs/|^edge/driver-kit/new/' },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules|(^|/)dist/' },
    exclude: { path: '(^|/)(dist|dist-types)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    moduleSystems: ['es6'],
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.json'],
    },
  },
}
