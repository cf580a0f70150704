/** Firmware files for Espressif's chips: a whole flash, or an application alone. */
import type { EspBoard } from '../board-kinds.ts'
import { type FirmwareImage, fileWrong, hex } from '../intel-hex.ts'
import { type EspImage, readEspImage, saysApp } from './esp-image.ts'

/** Where the partition tables of ESP-IDF and Arduino have the application, and where they lie themselves. */
const APP_ADDRESS = 0x10000
const TABLE_ADDRESS = 0x8000
const SECTOR_BYTES = 4096
const TABLE_MAGIC = [0xaa, 0x50] as const

/**
 * A .bin as firmware: an application alone goes where the usual partition tables have it, all else to the start of
 * flash. Sectors at its end that are erased are left out.
 */
export function readEspBin(data: Uint8Array, name: string): FirmwareImage {
  if (saysApp(data, 0)) return imageAt(APP_ADDRESS, data)
  const last = data.findLastIndex((byte) => byte !== 0xff)
  if (last === -1) throw fileWrong(`${name} has no bytes`)
  return imageAt(0, data.subarray(0, Math.ceil((last + 1) / SECTOR_BYTES) * SECTOR_BYTES))
}

function imageAt(address: number, data: Uint8Array): FirmwareImage {
  return { parts: [{ address, data }], bytes: data.length, end: address + data.length }
}

/** Throws `firmware-file-wrong` unless what begins at the places where the chip looks is whole and for it. */
export function checkEspImage(image: FirmwareImage, board: EspBoard, name: string): void {
  const { title, firmwareBytes, bootAddress } = board
  if (image.end > firmwareBytes)
    throw fileWrong(`${name} ends at ${hex(image.end)}, and the ${title} has ${firmwareBytes} bytes of flash`)
  const crooked = image.parts.find(({ address }) => address % SECTOR_BYTES !== 0)
  if (crooked !== undefined)
    throw fileWrong(
      `${name} has bytes from ${hex(crooked.address)} on, and flash is erased in sectors of ${SECTOR_BYTES}`,
    )
  const flash = new Uint8Array(image.end).fill(0xff)
  for (const { address, data } of image.parts) flash.set(data, address)
  const has = (address: number) => image.parts.some((part) => address >= part.address && address < end(part))
  const isWhole = has(bootAddress)
  if (!isWhole && !has(APP_ADDRESS))
    throw fileWrong(
      `${name} has nothing at ${hex(bootAddress)}, where the ${title} has its boot loader, nor at ${hex(APP_ADDRESS)}, where its application is`,
    )
  if (isWhole) {
    check(flash, bootAddress, 'its boot loader', board, name)
    if (!TABLE_MAGIC.every((byte, i) => flash[TABLE_ADDRESS + i] === byte))
      throw fileWrong(
        `${name} has no partition table at ${hex(TABLE_ADDRESS)}; it is truncated, or not a whole flash: that is what "merged" files of Arduino and of "esptool merge_bin" are`,
      )
  }
  const app = check(flash, APP_ADDRESS, 'its application', board, name)
  if (app.app === undefined) throw fileWrong(`${name}: what is at ${hex(APP_ADDRESS)} is no application`)
}

function check(flash: Uint8Array, at: number, what: string, board: EspBoard, name: string): EspImage {
  const image = readEspImage(flash, at)
  if (typeof image === 'string') throw fileWrong(`${name}: ${what} at ${hex(at)} ${image}`)
  if (image.chipId !== board.chipId)
    throw fileWrong(
      `${name}: ${what} at ${hex(at)} is for the chip ${image.chipId}, and the ${board.title} has an ${board.chip}, which is ${board.chipId}`,
    )
  return image
}

const end = ({ address, data }: { readonly address: number; readonly data: Uint8Array }) => address + data.length
