/** The version of this hub. */
export const HUB_VERSION = '0.1.0'
