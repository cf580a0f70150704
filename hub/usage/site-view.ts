/** How much of a site was used in a period, how long people waited, and from where they came. Pure. */
import type { Period, SiteUsage } from '@fernlab/shared/contracts/usage'
import { WeekHours } from './hours.ts'
import type { SlimUse } from './slim-use.ts'

/** Time that runs of a lab held a bench, within the period. */
export interface HeldTime {
  readonly bench: string
  readonly lab: string
  readonly seconds: number
}

interface Counted {
  uses: number
  readonly people: Set<string>
}

/** Counts uses one by one. */
export class SiteView {
  readonly #hours: WeekHours
  readonly #now: number
  readonly #all: Counted = { uses: 0, people: new Set() }
  readonly #labs = new Map<string, Counted & { readonly waits: number[] }>()
  readonly #benches = new Map<string, Counted>()
  readonly #countries = new Map<string | null, Counted>()
  readonly #waits: number[][] = Array.from({ length: 24 }, () => [])

  constructor(period: Period, now: number) {
    this.#now = now
    this.#hours = new WeekHours(period)
  }

  add(use: SlimUse): void {
    count(this.#all, use)
    const lab = this.#labs.get(use.lab) ?? { uses: 0, people: new Set(), waits: [] }
    this.#labs.set(use.lab, lab)
    count(lab, use)
    countIn(this.#countries, use.country, use)
    if (use.bench !== null) countIn(this.#benches, use.bench, use)
    if (use.startedAt === null) return
    const waited = Math.max(0, use.startedAt - use.askedAt) / 1000
    lab.waits.push(waited)
    this.#waits[this.#hours.hourAt(use.askedAt)]?.push(waited)
    this.#hours.add(use.startedAt, use.endedAt ?? this.#now)
  }

  /** With what the site's benches are: how long each was held and open, and which may serve a lab. */
  result({
    held,
    directS,
    openS,
    serves,
  }: {
    readonly held: readonly HeldTime[]
    /** Driven by hand, by bench. */
    readonly directS: ReadonlyMap<string, number>
    readonly openS: ReadonlyMap<string, number>
    readonly serves: (lab: string) => Iterable<string>
  }): Omit<SiteUsage, 'period' | 'countrySource'> {
    const sum = (which: (time: HeldTime) => boolean) =>
      held.filter(which).reduce((total, { seconds }) => total + seconds, 0)
    const benches = [...new Set([...openS.keys(), ...held.map(({ bench }) => bench)])].sort()
    const labs = [...new Set([...this.#labs.keys(), ...held.map(({ lab }) => lab)])].sort()
    return {
      uses: this.#all.uses,
      people: this.#all.people.size,
      seconds: sum(() => true),
      directS: [...directS.values()].reduce((total, seconds) => total + seconds, 0),
      benches: benches.map((bench) => ({
        bench,
        uses: this.#benches.get(bench)?.uses ?? 0,
        ...benchTimeOf(
          sum((time) => time.bench === bench),
          directS.get(bench) ?? 0,
          openS.get(bench) ?? 0,
        ),
      })),
      labs: labs.map((lab) => {
        const counted = this.#labs.get(lab)
        const mine = held.filter((time) => time.lab === lab).map(({ bench }) => bench)
        const open = [...new Set([...mine, ...serves(lab)])].reduce((all, bench) => all + (openS.get(bench) ?? 0), 0)
        const wait = waitOf(counted?.waits ?? [])
        return {
          lab,
          uses: counted?.uses ?? 0,
          people: counted?.people.size ?? 0,
          ...shareOf(
            sum((time) => time.lab === lab),
            open,
          ),
          ...(wait === undefined ? {} : { wait }),
        }
      }),
      waits: this.#waits.map((waits, hour) => ({ hour, ...(waitOf(waits) ?? { uses: 0, medianS: 0, p95S: 0 }) })),
      countries: [...this.#countries]
        .map(([country, { uses, people }]) => ({
          ...(country === null ? {} : { country }),
          uses,
          people: people.size,
        }))
        .sort((a, b) => b.uses - a.uses),
      hours: this.#hours.seconds,
    }
  }
}

function count(counted: Counted, { personId }: SlimUse): void {
  counted.uses++
  counted.people.add(personId)
}

function countIn<Key>(map: Map<Key, Counted>, key: Key, use: SlimUse): void {
  const counted = map.get(key) ?? { uses: 0, people: new Set() }
  map.set(key, counted)
  count(counted, use)
}

/** What staff drive by hand is used too, and of no lab. */
const benchTimeOf = (seconds: number, directS: number, openS: number) => ({
  ...shareOf(seconds + directS, openS),
  seconds,
  directS,
})

const shareOf = (seconds: number, openS: number) => ({ seconds, openS, share: openS === 0 ? null : seconds / openS })

/** By nearest rank; undefined where nobody waited. */
function waitOf(waits: number[]): { uses: number; medianS: number; p95S: number } | undefined {
  if (waits.length === 0) return undefined
  const sorted = Float64Array.from(waits).sort()
  const rank = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0
  return { uses: sorted.length, medianS: rank(0.5), p95S: rank(0.95) }
}
