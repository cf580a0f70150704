/** The same texts in another language: the keys are held to, what they say is not. */
export type Texts<T> = { [K in keyof T]: T[K] extends string ? string : Texts<T[K]> }
