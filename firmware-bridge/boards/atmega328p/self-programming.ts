/**
 * The SPM instruction (ATmega328P datasheet DS40002061B, chapter 27), which avr8js leaves out: a boot loader fills a page
 * buffer word by word, erases a page of flash, writes the buffer to it, and reads flash again once RWW is enabled.
 */
import type { CPU } from 'avr8js'

const SPMCSR = 0x57
const SELFPRGEN = 0x01
const PGERS = 0x02
const PGWRT = 0x04
const BLBSET = 0x08
const RWWSRE = 0x10
const RWWSB = 0x40
const COMMAND = 0x1f
/** A page erase and a page write take 3.7 to 4.5 ms each (table 27-18). */
const PAGE_CYCLES = 64_000
const PAGE_BYTES = 128
/** Code below here stands still while it is written, and SPM has no effect in an application below the boot section. */
const NO_READ_WHILE_WRITE = 0x7000

export interface SelfProgramming {
  /** Performs the SPM instruction at the program counter, without moving it. */
  execute(): void
}

/** SPM for one power-up of the chip; writes into `flash`. */
export function createSelfProgramming(cpu: CPU, flash: Uint8Array): SelfProgramming {
  const page = new Uint8Array(PAGE_BYTES).fill(0xff)
  const z = () => cpu.dataView.getUint16(30, true)
  const set = (value: number) => {
    cpu.data[SPMCSR] = value
  }
  const status = () => cpu.data[SPMCSR] ?? 0
  const busy = (then: number) => {
    cpu.addClockEvent(() => set((status() & ~COMMAND) | then), PAGE_CYCLES)
  }
  return {
    execute: () => {
      cpu.cycles += 3
      const command = status() & COMMAND
      if (cpu.pc * 2 < NO_READ_WHILE_WRITE || (command & SELFPRGEN) === 0) return
      const start = z() & (flash.length - 1) & ~(PAGE_BYTES - 1)
      const readWhileWrite = start < NO_READ_WHILE_WRITE ? RWWSB : 0
      if (command === (SELFPRGEN | PGERS)) {
        flash.fill(0xff, start, start + PAGE_BYTES)
        busy(readWhileWrite)
      } else if (command === (SELFPRGEN | PGWRT)) {
        for (let i = 0; i < PAGE_BYTES; i++) flash[start + i] = (flash[start + i] ?? 0) & (page[i] ?? 0xff)
        page.fill(0xff)
        busy(readWhileWrite)
      } else {
        if (command === SELFPRGEN) {
          const at = z() & (PAGE_BYTES - 2)
          page[at] = cpu.data[0] ?? 0xff
          page[at + 1] = cpu.data[1] ?? 0xff
        } else if (command === (SELFPRGEN | RWWSRE)) {
          page.fill(0xff)
          set(status() & ~RWWSB)
        }
        // Lock bits (BLBSET) stay as they are: nothing here reads them.
        set(status() & ~(COMMAND | BLBSET))
      }
    },
  }
}
