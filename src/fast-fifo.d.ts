/** The part of fast-fifo 1.3 that is used here. The types published for it know no `peek` and no `clear`. */
declare module 'fast-fifo' {
  /** A queue whose `push` and `shift` cost the same however long it is. */
  export default class FIFO<T> {
    readonly length: number
    push(value: T): void
    shift(): T | undefined
    peek(): T | undefined
    clear(): void
  }
}
