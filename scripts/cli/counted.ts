/** A number with its noun: `1 person is`, `2 people are`. */
export const counted = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`
