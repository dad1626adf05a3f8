"""The literature that a methods paragraph names: as it is cited -> the reference."""

from __future__ import annotations

REFERENCES = {
    "Cameron, Gelbach & Miller, 2011": (
        "Cameron, A. C., Gelbach, J. B., & Miller, D. L. (2011). Robust inference with multiway clustering. Journal of"
        " Business & Economic Statistics, 29(2), 238-249."
    ),
    "Efron & Tibshirani, 1993": (
        "Efron, B., & Tibshirani, R. J. (1993). An introduction to the bootstrap. Chapman & Hall."
    ),
    "Fleiss, 1971": (
        "Fleiss, J. L. (1971). Measuring nominal scale agreement among many raters. Psychological Bulletin, 76(5),"
        " 378-382."
    ),
    "Gwet, 2008": (
        "Gwet, K. L. (2008). Computing inter-rater reliability and its variance in the presence of high agreement."
        " British Journal of Mathematical and Statistical Psychology, 61(1), 29-48."
    ),
    "Holm, 1979": (
        "Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics,"
        " 6(2), 65-70."
    ),
    "Janssen, 1997": (
        "Janssen, A. (1997). Studentized permutation tests for non-i.i.d. hypotheses and the generalized Behrens-Fisher"
        " problem. Statistics & Probability Letters, 36(1), 9-21."
    ),
    "Krippendorff, 2011": (
        "Krippendorff, K. (2011). Computing Krippendorff's alpha-reliability. Annenberg School for Communication,"
        " University of Pennsylvania."
    ),
    "Liang et al., 2023": (
        "Liang, P. P., Lyu, Y., Chhablani, G., Jain, N., Deng, Z., Wang, X., Morency, L.-P., & Salakhutdinov, R."
        " (2023). MultiViz: Towards visualizing and understanding multimodal models. International Conference on"
        " Learning Representations."
    ),
    "Ribeiro, Singh & Guestrin, 2016": (
        'Ribeiro, M. T., Singh, S., & Guestrin, C. (2016). "Why should I trust you?" Explaining the predictions of any'
        " classifier. Proceedings of the 22nd ACM SIGKDD International Conference on Knowledge Discovery and Data"
        " Mining, 1135-1144."
    ),
    "Satterthwaite, 1946": (
        "Satterthwaite, F. E. (1946). An approximate distribution of estimates of variance components. Biometrics"
        " Bulletin, 2(6), 110-114."
    ),
    "Wilson, 1927": (
        "Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. Journal of the"
        " American Statistical Association, 22(158), 209-212."
    ),
}
