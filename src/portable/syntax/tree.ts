/** The syntax tree of a WGSL module. */
import type { Place } from './lexer.ts';

export interface TypeName extends Place {
  readonly name: string;
  readonly of: TypeName | null;
  readonly length: Expression | null;
}

export type Expression = Place &
  (
    | { readonly kind: 'number'; readonly value: number; readonly type: 'aint' | 'afloat' | 'i32' | 'u32' | 'f32' }
    | { readonly kind: 'bool'; readonly value: boolean }
    | { readonly kind: 'name'; readonly name: string }
    | { readonly kind: 'call'; readonly callee: TypeName; readonly args: readonly Expression[] }
    | { readonly kind: 'index'; readonly of: Expression; readonly index: Expression }
    | { readonly kind: 'member'; readonly of: Expression; readonly name: string }
    | { readonly kind: 'unary'; readonly op: '-' | '!' | '~' | '&' | '*'; readonly of: Expression }
    | { readonly kind: 'binary'; readonly op: string; readonly left: Expression; readonly right: Expression }
  );

export interface Declaration extends Place {
  readonly kind: 'declare';
  readonly how: 'let' | 'const' | 'var';
  readonly name: string;
  readonly type: TypeName | null;
  readonly value: Expression | null;
}

export interface Block extends Place {
  readonly kind: 'block';
  readonly body: readonly Statement[];
}

/** Every loop: while has neither first nor next, loop has no condition. */
export interface Loop extends Place {
  readonly kind: 'loop';
  readonly first: Statement | null;
  readonly condition: Expression | null;
  readonly next: Statement | null;
  readonly body: Block;
}

export type Statement =
  | Declaration
  | Block
  | Loop
  | (Place & {
      readonly kind: 'assign';
      readonly to: Expression | null;
      readonly op: string;
      readonly value: Expression;
    })
  | (Place & {
      readonly kind: 'if';
      readonly condition: Expression;
      readonly then: Block;
      readonly otherwise: Statement | null;
    })
  | (Place & { readonly kind: 'break' | 'continue' })
  | (Place & { readonly kind: 'return'; readonly value: Expression | null })
  | (Place & { readonly kind: 'do'; readonly call: Expression });

export type Attributes = ReadonlyMap<string, readonly Expression[]>;

export interface Parameter extends Place {
  readonly name: string;
  readonly type: TypeName;
  readonly attributes: Attributes;
}

export interface Function extends Place {
  readonly name: string;
  readonly attributes: Attributes;
  readonly parameters: readonly Parameter[];
  readonly result: TypeName | null;
  readonly body: Block;
}

export interface Struct extends Place {
  readonly name: string;
  readonly members: readonly Parameter[];
}

export interface ModuleVariable extends Place {
  readonly name: string;
  /** 'storage', 'uniform', 'workgroup' or 'private'. */
  readonly space: string;
  readonly access: string;
  readonly type: TypeName | null;
  readonly value: Expression | null;
  readonly attributes: Attributes;
}

export interface Constant extends Place {
  readonly how: 'const' | 'override';
  readonly name: string;
  readonly type: TypeName | null;
  readonly value: Expression | null;
}

export interface Module {
  readonly structs: ReadonlyMap<string, Struct>;
  readonly aliases: ReadonlyMap<string, TypeName>;
  readonly constants: ReadonlyMap<string, Constant>;
  readonly variables: ReadonlyMap<string, ModuleVariable>;
  readonly functions: ReadonlyMap<string, Function>;
}
