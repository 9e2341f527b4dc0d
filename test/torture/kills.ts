import type { Part } from './parts.ts'
export const part: Part = { name: 'kills', run: async () => [] }
