/** The lab and the node file of the fault tests. */

export const labId = 'faults'

/** Sets, reads, records and ends in about a second; twice, for the two answers to a crash. */
const protocol = (restart: 'safe' | 'never') => `
title: Steps (${restart})
version: 1
restart: ${restart}
parameters:
  points: { type: integer, minimum: 1, maximum: 1000, default: 6, title: Points }
  pause: { type: number, unit: s, minimum: 0, maximum: 10, default: 0.05, title: Pause }
steps:
  - set: { supply.voltage: 2, supply.output: true }
  - record:
      signals: [meter.voltage]
      rate: 20
      stream: trace
      steps:
        - sweep:
            variable: level
            unit: V
            from: 1
            to: 5
            points: points
            steps:
              - set: { supply.voltage: level }
              - wait: pause
              - read: { signals: [supply.voltage, meter.voltage] }
outputs:
  count:
    title: Rows
    unit: "1"
    statistic: { stream: primary, signal: level, kind: count }
`

/** Records the numbered samples of a ramp source for a while. */
const stream = `
title: Stream
version: 1
restart: never
parameters:
  duration: { type: number, unit: s, minimum: 0.1, maximum: 600, default: 1, title: Duration }
  rate: { type: number, unit: Hz, minimum: 1, maximum: 2000000, default: 10000, title: Rate }
steps:
  - set: { supply.voltage: 3, supply.output: true }
  - record: { signals: [source.ch1], rate: rate, stream: samples, for: duration }
`

/** Path → text of the lab's files. */
export const labFiles: Readonly<Record<string, string>> = {
  'lab.yaml': `
title: Faults
summary: For tests that break things.
parts:
  supply:
    signals:
      voltage: { unit: V, access: read-set }
      output: { unit: "1", dtype: boolean, access: set }
  meter:
    signals:
      voltage: { unit: V, access: read }
  source:
    signals:
      ch1: { unit: "1", access: read }
`,
  'README.md': '# Faults\n',
  'protocols/steps-safe.yaml': protocol('safe'),
  'protocols/steps-never.yaml': protocol('never'),
  'protocols/stream.yaml': stream,
}

/** The lab with live sessions. */
export const labFilesWith = (session: object): Readonly<Record<string, string>> => ({
  ...labFiles,
  'lab.yaml': `${labFiles['lab.yaml']}session: ${JSON.stringify(session)}\n`,
})

/** A lab that needs nothing but the source, so that it can run while another bench is held. */
export const sourceLabId = 'faults-source'
export const sourceLabFiles: Readonly<Record<string, string>> = {
  'lab.yaml': `
title: Source
summary: For tests that break things while another bench is busy.
parts:
  source:
    signals:
      ch1: { unit: "1", access: read }
`,
  'README.md': '# Source\n',
  'protocols/stream.yaml': stream.replace(/^ {2}- set: .*\n/m, ''),
}

/** A lab with two benches for its sessions, none of which can be made ready. */
export const unreadyLabId = 'faults-unready'
export const unreadyLabFiles: Readonly<Record<string, string>> = {
  'lab.yaml': `${sourceLabFiles['lab.yaml']}
session:
  seconds: 60
  prepare:
    - read: { signals: [source.ch1] }
    - assert: { condition: source.ch1 < 0, message: it counts upwards only }
`,
  'README.md': '# Unready\n',
}

/** node.yaml with a bench for each lab, on instruments at these ports. */
export const nodeFile = (options: {
  readonly node: string
  readonly mqttPort: number
  readonly psuPort: number
  readonly dmmPort: number
  /** Of bench one. */
  readonly checks?: object | undefined
}): string => `
node: ${options.node}
hub: { url: "mqtt://127.0.0.1:${options.mqttPort}" }
instruments:
  psu:
    driver: scpi
    config: { model: fern-psu, transport: { kind: tcp, host: 127.0.0.1, port: ${options.psuPort} } }
  dmm:
    driver: scpi
    config: { model: fern-dmm, transport: { kind: tcp, host: 127.0.0.1, port: ${options.dmmPort} } }
  ramp:
    driver: simulated
    config: { model: ramp-source, settings: { channels: 4 } }
  ramp-2:
    driver: simulated
    config: { model: ramp-source, settings: { channels: 1 } }
  ramp-3:
    driver: simulated
    config: { model: ramp-source, settings: { channels: 1 } }
benches:
  two:
    parts: { source: ramp-2 }
    labs: [${sourceLabId}, ${unreadyLabId}]
  three:
    parts: { source: ramp-3 }
    labs: [${unreadyLabId}]
  one:
    parts: { supply: psu, meter: dmm, source: ramp }
    labs: [${labId}]
    safeState: { supply.output: false, supply.voltage: 0 }
    checks: ${JSON.stringify(options.checks ?? {})}
`
