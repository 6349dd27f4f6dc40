/** An equation as MathML, made when the page was built. */
import rendered from 'virtual:mathml';

export function Equation({ of }: { readonly of: keyof typeof rendered }) {
  // The markup is KaTeX's, made from this folder's own equations.
  return <span class="equation" dangerouslySetInnerHTML={{ __html: rendered[of] }} />;
}
