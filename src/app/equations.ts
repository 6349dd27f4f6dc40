/** The equations of the page, in TeX; they are turned to MathML when it is built. */
export const EQUATIONS = {
  mtls1: String.raw`L_{\text{total}} = \frac{L_s}{\sigma_s^2} + \frac{L_c}{\sigma_c^2} + \ln(\sigma_s+1) + \ln(\sigma_c+1)`,
  regularized: String.raw`\ell(\sigma) = \frac{L}{\sigma^2} + \ln(\sigma+1)`,
  slope: String.raw`\frac{\partial \ell}{\partial \sigma} = -\frac{2L}{\sigma^3} + \frac{1}{\sigma+1} = 0`,
  equilibrium: String.raw`L = \frac{\hat\sigma^3}{2(\hat\sigma+1)} = f(\hat\sigma)`,
  rate: String.raw`r_e = \frac{r}{\hat\sigma^2}`,
  saliency: String.raw`L_s = \mathrm{KL}(\bar y_s \,\|\, y_s)`,
  diagnosis: String.raw`L_c = H(\bar y_c, y_c)`,
} as const;
