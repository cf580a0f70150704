/** A program whose time of day is wrong by `WRONG_MS`: it takes a bench at the hub, drives it, and says how that went. */
const off = Number(process.env.WRONG_MS)
const RightDate = Date
globalThis.Date = class extends RightDate {
  constructor(...args: unknown[]) {
    // @ts-expect-error: whatever it was given, as it was
    super(...(args.length === 0 ? [RightDate.now() + off] : args))
  }
  static override now() {
    return RightDate.now() + off
  }
} as DateConstructor

// Loaded with that time.
const { connect } = await import('@fernlab/shared/clients/typescript/node')
const began = performance.now()
await using lab = connect({ hub: process.env.FERNLAB_HUB ?? '', token: process.env.FERNLAB_TOKEN ?? '' })
const psu = await lab.service('diode-1.psu')
const lock = await lab.lock(['diode-1.psu'], { reason: 'a look' })
await psu.set('voltage', 1.5, { timeoutMs: 5000 })
const [{ value: voltage } = {}] = Object.values(await psu.read(['voltage']))
let followed: unknown
for await (const reading of psu.follow(['voltage'], { rateHz: 50 })) {
  followed = (reading as { voltage: { value: number } }).voltage.value
  break
}
const counts = await lab.service('count')
const asked = performance.now()
const late = await Promise.resolve(counts.do.wait?.({ seconds: 3 }, { timeoutMs: 300 })).then(
  () => 'it came',
  ({ code }: { code: string }) => code,
)
const lateMs = performance.now() - asked
const isLost = lock.lost.aborted
await lock.release()
const said = {
  now: Date.now(),
  voltage,
  followed,
  late,
  lateMs,
  isLost,
  way: psu.way?.kind,
  ms: performance.now() - began,
}
process.stdout.write(`${JSON.stringify(said)}\n`)
