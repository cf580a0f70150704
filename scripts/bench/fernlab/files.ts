/** The labs and node files that are measured. */

export interface LabFile {
  readonly path: string
  readonly text: string
}

/** A protocol that does nothing, on a bench with one simulated value. */
export const nothingLab: { readonly id: string; readonly files: readonly LabFile[] } = {
  id: 'bench-nothing',
  files: [
    {
      path: 'lab.yaml',
      text: `
title: Nothing
summary: Does nothing, to measure what everything else costs.
parts:
  box:
    signals:
      value: { unit: "1", access: read-set }
`,
    },
    { path: 'README.md', text: '# Nothing\n' },
    {
      path: 'protocols/nothing.yaml',
      text: `
title: Nothing
version: 1
restart: safe
parameters: {}
steps:
  - wait: 0
outputs: {}
`,
    },
    {
      path: 'protocols/set.yaml',
      text: `
title: Set and wait
version: 1
restart: never
parameters:
  pause: { type: number, unit: s, minimum: 0, maximum: 600, default: 1, title: Pause }
steps:
  - set: { box.value: 1 }
  - wait: pause
  - read: { signals: [box.value] }
outputs: {}
`,
    },
  ],
}

/** Records numbered samples as fast as asked. */
export const streamLab: { readonly id: string; readonly files: readonly LabFile[] } = {
  id: 'bench-stream',
  files: [
    {
      path: 'lab.yaml',
      text: `
title: Stream
summary: Records numbered samples, to measure ingest.
parts:
  source:
    signals:
${Array.from({ length: 8 }, (_, i) => `      ch${i + 1}: { unit: "1", access: read }`).join('\n')}
session:
  seconds: 3600
  idleSeconds: 3600
  record: [{ signals: [source.ch1, source.ch2, source.ch3, source.ch4], rate: 10, stream: samples }]
`,
    },
    { path: 'README.md', text: '# Stream\n' },
    ...[1, 8].map((channels) => ({
      path: `protocols/stream-${channels}.yaml`,
      text: `
title: Stream of ${channels}
version: 1
restart: never
parameters:
  duration: { type: number, unit: s, minimum: 0.1, maximum: 600, default: 2, title: Duration }
  rate: { type: number, unit: Hz, minimum: 1, maximum: 2000000, default: 1000, title: Rate }
steps:
  - record:
      signals: [${Array.from({ length: channels }, (_, i) => `source.ch${i + 1}`).join(', ')}]
      rate: rate
      stream: samples
      for: duration
outputs: {}
`,
    })),
  ],
}

/** node.yaml with as many benches for `nothingLab`, and one for `streamLab`. */
export function nodeFile(options: {
  readonly node: string
  readonly mqttUrl: string
  readonly benches: number
}): string {
  const each = Array.from({ length: options.benches }, (_, i) => i + 1)
  return `
node: ${options.node}
hub: { url: "${options.mqttUrl}" }
instruments:
  ramp: { driver: simulated, config: { model: ramp-source, settings: { channels: 8 } } }
${each.map((i) => `  box-${i}: { driver: simulated, config: { model: constant } }`).join('\n')}
benches:
  stream: { parts: { source: ramp }, labs: [${streamLab.id}] }
${each.map((i) => `  b-${i}: { parts: { box: box-${i} }, labs: [${nothingLab.id}], safeState: { box.value: 0 } }`).join('\n')}
`
}
