/** What is used of the package: its own types need those of browsers. */
declare module 'esptool-js' {
  /** The line to the chip; every method that is called on it from outside is replaced. */
  export class Transport {
    constructor(device: undefined)
    baudrate: number
    trace(message: string): void
    getInfo(): string
    getVid(): number | undefined
    getPid(): number | undefined
    write(data: Uint8Array): Promise<void>
    read(timeoutMs: number): Promise<Uint8Array>
    readLoop(): Promise<void>
    flushInput(): void
    drainInput(quietMs?: number): Promise<void>
    inWaiting(): number
    peek(): Uint8Array
    setRTS(state: boolean): Promise<void>
    setDTR(state: boolean): Promise<void>
    setSignals(dtr?: boolean, rts?: boolean): Promise<void>
    connect(baudRate?: number): Promise<void>
    changeBaudrate(baudRate: number): Promise<boolean>
    disconnect(): Promise<void>
  }

  export interface LoaderOptions {
    readonly transport: Transport
    /** The speed that is changed to once it is connected. */
    readonly baudrate: number
    readonly romBaudrate: number
    readonly terminal: { clean(): void; writeLine(text: string): void; write(text: string): void }
  }

  export interface FlashOptions {
    readonly fileArray: readonly { readonly data: Uint8Array; readonly address: number }[]
    readonly flashMode: 'keep'
    readonly flashFreq: 'keep'
    readonly flashSize: 'keep'
    readonly eraseAll: boolean
    readonly compress: boolean
    /** Of the file with that index, in bytes as they are sent. */
    readonly reportProgress: (index: number, written: number, total: number) => void
  }

  export class ESPLoader {
    constructor(options: LoaderOptions)
    readonly chip: { readonly CHIP_NAME: string }
    readonly baudrate: number
    readonly secureDownloadMode: boolean
    detectChip(mode?: 'default_reset' | 'no_reset', attempts?: number): Promise<void>
    /** The chip takes the stub into its RAM and runs it. */
    runStub(): Promise<unknown>
    changeBaud(): Promise<void>
    detectFlashSize(): Promise<string | undefined>
    flashSizeBytes(size: string): number
    writeFlash(options: FlashOptions): Promise<void>
    /** In hexadecimal digits; only of a chip that runs the stub. */
    flashMd5sum(address: number, length: number): Promise<string>
    flashBegin(length: number, address: number): Promise<number>
    flashFinish(reboot: boolean): Promise<void>
  }
}
