/** Packages that the node's bundle leaves out: what is compiled stays beside it. */
export const nativePackages = ['@photostructure/sqlite', 'serialport', 'cbor-extract', 'i2c-bus', 'onoff']
