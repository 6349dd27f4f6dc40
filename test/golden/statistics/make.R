# Writes expected-r.json: Rscript make.R > expected-r.json, beside expected.json, whose tables lme4 fits by REML.
suppressMessages({library(jsonlite); library(lme4); library(pROC)})
set.seed(20)
tables <- fromJSON("expected.json", simplifyVector = FALSE)$tables
fit <- function(case) {
  m <- do.call(rbind, lapply(case$values, unlist))
  d <- data.frame(y = as.vector(m), row = factor(as.vector(row(m))), col = factor(as.vector(col(m))))
  f <- suppressMessages(lmer(y ~ 1 + (1 | row) + (1 | col), d, control = lmerControl(optimizer = "bobyqa",
    optCtrl = list(rhoend = 1e-12), check.nobs.vs.nlev = "ignore", check.nlev.gtr.1 = "ignore")))
  v <- as.data.frame(VarCorr(f))
  list(values = m, rows = v$vcov[v$grp == "row"], columns = v$vcov[v$grp == "col"], residual = v$vcov[v$grp == "Residual"],
       mean = unname(fixef(f)), se = sqrt(as.matrix(vcov(f))[1, 1]))
}
delong <- lapply(c(20, 45, 120), function(n) {
  y <- rep(0:1, length.out = n); a <- round(rnorm(n) + y, 2); b <- round(a + rnorm(n), 1)
  r1 <- roc(y, a, quiet = TRUE, direction = "<"); r2 <- roc(y, b, quiet = TRUE, direction = "<")
  t <- roc.test(r1, r2, method = "delong", paired = TRUE)
  list(y = y, a = a, b = b, auc = c(as.numeric(auc(r1)), as.numeric(auc(r2))), z = unname(t$statistic), p = t$p.value)
})
hand_till <- lapply(c(30, 90), function(n) {
  y <- sample(rep(0:2, length.out = n)); s <- matrix(round(runif(3 * n), 2), n); s[cbind(1:n, y + 1)] <- s[cbind(1:n, y + 1)] + 0.3; s <- round(s, 2) # as JSON holds it: ties are ties
  colnames(s) <- 0:2
  list(y = y, scores = unname(s), auc = as.numeric(multiclass.roc(factor(y), s)$auc))
})
wilcoxon <- lapply(c(5, 8, 20), function(n) {
  a <- round(rnorm(n), 5); b <- round(rnorm(n) - 0.5, 5); w <- wilcox.test(a, b, paired = TRUE, exact = TRUE)
  list(a = a, b = b, p = w$p.value, t = t.test(a, b, paired = TRUE)$p.value)
})
permutation <- lapply(c(4, 7, 11), function(n) { # every sign once
  d <- round(rnorm(n, 0.4), 3); signs <- as.matrix(expand.grid(rep(list(c(-1, 1)), n)))
  list(d = d, p = mean(abs(signs %*% d) >= abs(sum(d)) - 1e-9))
})
mcnemar <- lapply(list(c(3, 9), c(0, 6), c(14, 15), c(40, 71)), function(x) list(b = x[1], c = x[2], p = binom.test(x[1], sum(x))$p.value))
holm <- lapply(c(3, 6, 10), function(n) { p <- round(rbeta(n, 0.4, 3), 5); list(p = p, adjusted = p.adjust(p, "holm")) })
power <- lapply(c(0.5, 0.8, 1.2), function(e) list(effect = e, n = ceiling(power.t.test(delta = e, sd = 1, power = 0.8, type = "paired", strict = TRUE)$n)))
made <- paste0(R.version.string, ", lme4 ", packageVersion("lme4"), ", pROC ", packageVersion("pROC"))
cat(toJSON(list(made = made, tables = lapply(tables, fit), delong = delong, hand_till = hand_till, wilcoxon = wilcoxon,
  permutation = permutation, mcnemar = mcnemar, holm = holm, pairs = power), auto_unbox = TRUE, digits = NA, pretty = FALSE), "\n")
