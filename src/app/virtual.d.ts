/// <reference types="vite/client" />
declare module 'virtual:mathml' {
  const rendered: Readonly<Record<keyof typeof import('./equations.ts').EQUATIONS, string>>;
  export default rendered;
}
