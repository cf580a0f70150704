/** What an emulated Espressif chip says at 115200 baud as it starts: its application itself is not run. */
import { readEspImage } from '../../flashing/esp/esp-image.ts'
import type { EspChip } from './esp-chips.ts'

const APP_ADDRESS = 0x10000

/** As its ROM says that it waits for a flashing tool. */
export function downloadLog({ name }: EspChip): string {
  return `ESP-ROM:${name.toLowerCase()}\r\nrst:0x1 (POWERON),boot:0x3 (DOWNLOAD_BOOT(UART0))\r\nwaiting for download\r\n`
}

/** As its boot loader and ESP-IDF say what starts; or as its ROM says that there is nothing to start, over and over. */
export function startLog({ name, chipId, bootAddress }: EspChip, flash: Uint8Array): string {
  const rom = `ESP-ROM:${name.toLowerCase()}\r\nrst:0x1 (POWERON),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n`
  const boot = readEspImage(flash, bootAddress)
  if (typeof boot === 'string' || boot.chipId !== chipId) return `${rom}invalid header: 0xffffffff\r\n`
  const app = readEspImage(flash, APP_ADDRESS)
  if (typeof app === 'string' || app.app === undefined) return `${rom}E (60) boot: No bootable app partitions\r\n`
  return `${rom}I (60) app_init: Project name:     ${app.app.name}\r\nI (64) app_init: App version:      ${app.app.version}\r\n`
}
