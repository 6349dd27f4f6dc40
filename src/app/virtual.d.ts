/// <reference types="vite/client" />
declare module 'virtual:mathml' {
  const rendered: Readonly<Record<keyof typeof import('./equations.ts').EQUATIONS, string>>;
  export default rendered;
}
interface ImportMetaEnv {
  /** Whether sw.js lies beside the page: in the built folder, not in development. */
  readonly OFFLINE: boolean;
  /** Of package.json. */
  readonly VERSION: string;
  /** 256 x 3 bytes each, in base64. */
  readonly COLOURS: Readonly<Record<import('./pictures.ts').MapName, string>>;
}
