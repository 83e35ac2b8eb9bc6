"""Ratios within rounds, and the tables of them."""

import statistics

import numpy as np

SAME = 0.999  # mean cosine from which an engine may stand against Paceline's auto, whatever its arithmetic


def rivals(ours, peers, results):
    """The other engines that ours stands against: the quickest of its arithmetic; for auto the quickest of any that keeps the
    vectors, and onnxruntime's int8 beside it."""
    others = [peer for peer in peers if not peer.ours and not peer.other_model]
    if ours.dtype != "auto":
        groups = [[peer for peer in others if peer.dtype == ours.dtype]]
    else:
        groups = [[peer for peer in others if peer.cosines[0] >= SAME],
                  [peer for peer in others if (peer.engine, peer.dtype) == ("onnxruntime", "int8")]]
    return [max(group, key=lambda peer: statistics.median(wall for wall, _ in results[peer])) for group in groups if group]


def summarise(values):
    quarters = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": statistics.median(values), "lower_quartile": quarters[0], "upper_quartile": quarters[2]}


def against(rival, ours, results):
    """Paceline's rate over the rival's, within each round."""
    pairs = list(zip(results[ours], results[rival]))
    return {
        "rival": rival.name,
        "ratio": summarise([a[0] / b[0] for a, b in pairs]),
        "ratio_per_cpu_second": summarise([a[1] / b[1] for a, b in pairs]),
    }


def rows(peers, length, results):
    """One row an engine."""
    for peer in peers:
        wall, cpu = zip(*results[peer])
        yield {
            "tokens": length, "engine": peer.name, "batch": peer.batch, "setting": peer.setting, "rounds": len(wall),
            "cosines": peer.cosines, "stsb": peer.quality,
            "embeddings_per_second": summarise(wall), "embeddings_per_cpu_second": summarise(cpu),
            "against": [against(rival, peer, results) for rival in rivals(peer, peers, results)] if peer.ours else [],
        }


def lone_row(peer, slices):
    """Median and 99th percentile of a text alone, in milliseconds, over slices in turn."""
    p99 = float(np.quantile([took for part in slices for took in part], 0.99))
    return {"engine": peer.name, "setting": peer.setting, "p50": summarise([statistics.median(part) for part in slices]), "p99": p99}


def spread(s, digits):
    return f"{s['median']:.{digits}f} ({s['lower_quartile']:.{digits}f}-{s['upper_quartile']:.{digits}f})"


def with_setting(first, row):
    return f"{first}, {row['setting']}" if row["setting"] else str(first)


HEADER = ("| tokens | engine | cosine, mean / lowest | STS-B | batch | embeddings/s | per CPU-second | times its rival | per CPU-second |",
          "|---|---|---|---|---|---|---|---|---|")


def table(all_rows):
    for row in all_rows:
        wall = "; ".join(f"{spread(a['ratio'], 2)} of {a['rival']}" for a in row["against"])
        cpu = "; ".join(spread(a["ratio_per_cpu_second"], 2) for a in row["against"])
        cosines = "another model" if row["cosines"] is None else "{:.5f} / {:.5f}".format(*row["cosines"])
        quality = "" if row["stsb"] is None else f"{row['stsb']:.2f}"
        yield (f"| {row['tokens']} | {row['engine']} | {cosines} | {quality} | {with_setting(row['batch'], row)} | "
               f"{spread(row['embeddings_per_second'], 0)} | {spread(row['embeddings_per_cpu_second'], 0)} | {wall} | {cpu} |")


def lone_table(lone, tokens):
    yield f"| one text of {tokens} tokens alone | p50, ms | p99, ms |"
    yield "|---|---|---|"
    for row in lone:
        yield f"| {with_setting(row['engine'], row)} | {spread(row['p50'], 2)} | {row['p99']:.2f} |"
