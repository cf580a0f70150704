/** A file of the package that its own types leave out. */
declare module 'modbus-serial/utils/crc16.js' {
  /** CRC-16/MODBUS. */
  const crc16: (bytes: Uint8Array) => number
  export default crc16
}
