/** Makes two types of the same representation incompatible, so that numbers are not mixed up. */
export type Brand<T, Name extends string> = T & { readonly __brand: Name };
