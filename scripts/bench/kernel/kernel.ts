/** Drivers on a real kernel, beside the bare libraries, in one emulated PC: pins that are mocked, a bus without a wire. */
import type { Benchmark, Contestant } from '../framework/benchmark.ts'
import { type Part, startPart } from '../framework/part.ts'
import type { Bench } from '../framework/surroundings.ts'

/** Both contestants are measured in the same machine. */
function sharedMachine() {
  let machine: Promise<Part> | undefined
  let users = 0
  return {
    take: (bench: Bench): Promise<Part> => {
      users++
      machine ??= startPart(bench, 'guest', { script: 'test/support/kernel/measure.ts' })
      return machine
    },
    give: async () => {
      users--
      if (users > 0 || machine === undefined) return
      const part = await machine
      machine = undefined
      await part.call('end')
      await part.end()
    },
  }
}

const machine = sharedMachine()

function inGuest(name: string, how: 'driver' | 'bare', what: string): Contestant {
  return {
    name,
    what,
    start: async (bench) => {
      const guest = await machine.take(bench)
      const measure = (one: string) => guest.call<number>('measure', `${one}-${how}`)
      return {
        round: async () => ({
          figures: {
            writes: await measure('writes'),
            event: await measure('event'),
            reads: await measure('reads'),
          },
        }),
        close: () => machine.give(),
      }
    },
  }
}

const PEER = 'the bare libraries'

/** On a kernel in QEMU. */
export const kernelBenchmarks: readonly Benchmark[] = [
  {
    name: 'pins-and-chips',
    title: 'GPIO and I2C through the drivers, on a kernel in an emulated PC (QEMU without KVM)',
    figures: [
      {
        name: 'writes',
        title: 'levels written to a pin',
        unit: '1/s',
        aim: { bound: 'at least', value: 0.7, times: PEER },
      },
      {
        name: 'event',
        title: 'from a level on a pin to the event, median',
        unit: 'ms',
        aim: { bound: 'at most', value: 1.3, times: PEER },
      },
      {
        name: 'reads',
        title: 'readings of a TMP102',
        unit: '1/s',
        aim: { bound: 'at least', value: 0.9, times: PEER },
      },
    ],
    contestants: [
      inGuest('Fernlab', 'driver', 'the drivers gpio (on sysfs) and i2c, on the kernel’s gpio-mockup and i2c-stub'),
      inGuest(
        PEER,
        'bare',
        'onoff, written synchronously, and i2c-bus, read by promise: nothing limits, converts, times or queues',
      ),
    ],
  },
]
