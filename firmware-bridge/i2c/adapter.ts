/** What speaks on the wires of one I2C bus: the kernel's adapter, or an emulated one. */

/**
 * Transfers with one chip, by whoever holds the bus. Each is one transaction on the wire, from its start to its stop.
 * They reject with a link-kind LabError: `i2c-no-answer`, `i2c-broken-off`, `i2c-bus-stuck`, `i2c-call-unsupported`.
 */
export interface I2cWire {
  /** SMBus 3.2, 6.5.5: the register's number out, one byte back after a repeated start. */
  readByte(register: number): Promise<number>
  /** SMBus 6.5.4. */
  writeByte(register: number, value: number): Promise<void>
  /** SMBus 6.5.5, two bytes; unlike SMBus the first on the wire is the high one, as most chips have it. */
  readWord(register: number): Promise<number>
  /** SMBus 6.5.4, two bytes, the high one first. */
  writeWord(register: number, value: number): Promise<void>
  /** The register's number out, then up to 32 bytes back after a repeated start. */
  readBlock(register: number, length: number): Promise<Uint8Array>
  /** The register's number and up to 32 bytes out. */
  writeBlock(register: number, bytes: Uint8Array): Promise<void>
  /** Bytes back, with no register; not on adapters that speak SMBus only. */
  read(length: number): Promise<Uint8Array>
  /** Bytes out; not on adapters that speak SMBus only. */
  write(bytes: Uint8Array): Promise<void>
}

/** What a scan found at one address. */
export type FoundAddress =
  | { readonly address: number; readonly state: 'answers' }
  /** A driver of the kernel's has it; `driver` is its name where the kernel says. */
  | { readonly address: number; readonly state: 'kernel'; readonly driver?: string }

/** INVARIANT: called by one at a time; the bus sees to that. */
export interface I2cAdapter {
  wire(address: number): I2cWire
  /** Asks every address from 0x08 to 0x77 whether somebody is there, in a way that chips do not take for a command. */
  scan(): Promise<FoundAddress[]>
  close(): Promise<void>
}

/** `0x48`. */
export const hex = (address: number): string => `0x${address.toString(16).padStart(2, '0')}`
