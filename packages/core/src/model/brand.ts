/** Makes two types with the same representation incompatible, so that numbers cannot be mixed up. */
export type Brand<T, Name extends string> = T & { readonly __brand: Name };
