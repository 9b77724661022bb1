#!/usr/bin/env python3
"""Measures the hub beside nginx and beside no gateway at all: one mock upstream, every target in turn, in one run.

    run.py [--runs N] [--only a,b] [--skip a,b] [--quick] [--hub BIN] [--loadkit BIN] [--work DIR] [--out DIR]

Needs Linux with two processors, wrk, and nginx. Everything listens on 127.0.0.1. See ../README.md.
"""
import argparse, http.client, json, os, re, resource, shutil, signal, socket, subprocess, sys, tempfile, time, tomllib

import marks

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILT = os.path.join(os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target")), "release")
MOCK, MOCK429 = 9100, 9101
ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("--runs", type=int, default=1, help="how often everything is measured; the marks are judged by medians")
ap.add_argument("--hub", default=os.path.join(BUILT, "trivium"), help="the hub's release binary; @HUB@ in target files")
ap.add_argument("--loadkit", default=os.path.join(BUILT, "loadkit"), help="the load program's release binary")
ap.add_argument("--work", default="", help="scratch folder; a temporary one is made otherwise")
ap.add_argument("--out", default="", help="folder for run-1.json, run-2.json, ...; the scratch folder otherwise")
ap.add_argument("--targets", default=os.path.join(HERE, "targets"), help="folder of target files")
ap.add_argument("--only", default="", help="targets to measure, with commas between them")
ap.add_argument("--skip", default="", help="targets to leave out")
ap.add_argument("--quick", action="store_true", help="a short look: fewer requests, and 200 streams at most")
ap.add_argument("--gw-cpus", default="1", help="processors of the target")
ap.add_argument("--load-cpus", default="0", help="processors of mock and load")
A = ap.parse_args()
A.work = os.path.abspath(A.work or tempfile.mkdtemp(prefix="side-by-side-"))
A.out = os.path.abspath(A.out or A.work)
GW = {int(x) for x in A.gw_cpus.split(",")}
LD = {int(x) for x in A.load_cpus.split(",")}
TICK = os.sysconf("SC_CLK_TCK")
os.makedirs(A.work, exist_ok=True), os.makedirs(A.out, exist_ok=True)
live = []  # every process that was started here; what is left of them is ended at the end, one by one


def spawn(cmd, cpus, env=None, cwd=None, log=None, **kw):
    f = open(log, "ab") if log else subprocess.DEVNULL
    p = subprocess.Popen(cmd, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=f, stderr=f, start_new_session=True,
                         preexec_fn=lambda: os.sched_setaffinity(0, cpus), **kw)
    live.append(p)
    return p


def tool(cmd, timeout=300):
    p = subprocess.run(cmd, capture_output=True, text=True, timeout=timeout, preexec_fn=lambda: os.sched_setaffinity(0, LD))
    return p.stdout


def tree(pid):
    kids = {}
    for d in os.listdir("/proc"):
        if d.isdigit():
            try:
                s = open(f"/proc/{d}/stat").read()
                kids.setdefault(int(s[s.rindex(")") + 2:].split()[1]), []).append(int(d))
            except OSError:
                pass
    out, todo = [], [pid]
    while todo:
        x = todo.pop()
        out.append(x)
        todo += kids.get(x, [])
    return out


def cpu_s(pid):
    t = 0
    for x in tree(pid):
        try:
            s = open(f"/proc/{x}/stat").read()
            f = s[s.rindex(")") + 2:].split()
            t += int(f[11]) + int(f[12])
        except OSError:
            pass
    return t / TICK


def busy_s():
    """Processor seconds that the whole machine has used so far."""
    f = [int(x) for x in open("/proc/stat").readline().split()[1:]]
    return (sum(f[:8]) - f[3] - f[4]) / TICK


def mine_s(*pids):
    """Of these, what the measurement itself has used."""
    r = resource.getrusage(resource.RUSAGE_CHILDREN)
    return sum(cpu_s(x) for x in pids) + r.ru_utime + r.ru_stime


def repin(pid, cpus):
    for x in tree(pid):
        try:
            for th in os.listdir(f"/proc/{x}/task"):
                os.sched_setaffinity(int(th), cpus)
        except OSError:
            pass


def mem_mb(pid, field):
    """Memory of a process and its children: `pss`, or a field of its status file."""
    t = 0
    for x in tree(pid):
        try:
            if field == "pss":
                t += int(re.search(r"^Pss:\s+(\d+)", open(f"/proc/{x}/smaps_rollup").read(), re.M)[1])
            else:
                t += int(re.search(field + r":\s+(\d+)", open(f"/proc/{x}/status").read())[1])
        except (OSError, TypeError):
            pass
    return round(t / 1024, 1)


def reset_hwm(pid):
    for x in tree(pid):
        try:
            open(f"/proc/{x}/clear_refs", "w").write("5")
        except OSError:
            pass


def post(port, path, headers, body, timeout=30):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        c.request("POST", path, body, {"content-type": "application/json", "accept": "application/json", **headers})
        r = c.getresponse()
        return r.status, r.read()
    finally:
        c.close()


def stats():
    c = http.client.HTTPConnection("127.0.0.1", MOCK, timeout=5)
    c.request("GET", "/__stats")
    return json.loads(c.getresponse().read())


def stop(p, grace=15):
    if p.poll() is not None:
        return 0.0, p.returncode
    t = time.time()
    kids = tree(p.pid)
    p.send_signal(signal.SIGTERM)
    try:
        p.wait(grace)
        hard = False
    except subprocess.TimeoutExpired:
        hard = True
        p.kill()
        p.wait()
    dt = time.time() - t
    for k in kids:  # children that did not end with it
        try:
            os.kill(k, signal.SIGKILL)
        except OSError:
            pass
    return round(dt, 2), ("SIGKILLed" if hard else p.returncode)


def sub(x, m):
    if isinstance(x, str):
        for k, v in m.items():
            x = x.replace(k, v)
        return x
    if isinstance(x, list):
        return [sub(i, m) for i in x]
    if isinstance(x, dict):
        return {k: sub(v, m) for k, v in x.items()}
    return x


MSG = [{"role": "system", "content": "You are a helpful assistant."}, {"role": "user", "content": "Say something in latin, please."}]


def bodyfile(t, w, model, stream):
    b = {"model": model, "messages": MSG, "stream": stream, "max_tokens": 256, "temperature": 0.7}
    f = os.path.join(w, f"body-{model.replace('/', '_').replace(':', '_')}-{int(stream)}.json")
    open(f, "w").write(json.dumps(b))
    return f


def hdr(h):
    out = []
    for k, v in h.items():
        out += ["--header", f"{k}: {v}"]
    return out


def wait200(port, path, headers, body, p, limit=120):
    t = time.time()
    why = ""
    while time.time() - t < limit:
        if p is not None and p.poll() is not None:
            return None, f"exited {p.returncode}"
        try:
            s, b = post(port, path, headers, body, 20)
            if s == 200:
                return time.time() - t, ""
            why = f"{s} {b[:200]!r}"
        except OSError as e:
            why = str(e)
        time.sleep(0.002)
    return None, why


def abort_test(port, path, headers, body):
    """Reads a few chunks and hangs up; answers after how many milliseconds the upstream saw it, `None`: never."""
    a = stats()["stream_abort"]
    s = socket.create_connection(("127.0.0.1", port), 10)
    h = "".join(f"{k}: {v}\r\n" for k, v in headers.items())
    s.sendall((f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: application/json\r\n{h}content-length: {len(body)}\r\n\r\n" + body).encode())
    got = b""
    s.settimeout(5)
    try:
        while got.count(b"@@") < 10:
            x = s.recv(65536)
            if not x:
                raise OSError("the stream ended early")
            got += x
    finally:
        t = time.time()
        s.close()
    while time.time() - t < 3:
        if stats()["stream_abort"] > a:
            return round((time.time() - t) * 1000, 1)
        time.sleep(0.002)
    return None


def bench(t, name):
    w = os.path.join(A.work, name)
    os.makedirs(w, exist_ok=True)
    port = t["port"]
    m = {"@WORK@": w, "@HUB@": os.path.abspath(A.hub), "@PORT@": str(port), "@MOCK@": f"http://127.0.0.1:{MOCK}", "@MOCKPORT@": str(MOCK), "@MOCK429PORT@": str(MOCK429)}
    t = sub(t, m)
    port, path = int(t["port"]), t.get("path", "/v1/chat/completions")
    shutil.rmtree(os.path.join(w, "data"), ignore_errors=True)  # every start is a first one
    for f, txt in t.get("files", {}).items():
        p = os.path.join(w, f)
        os.makedirs(os.path.dirname(p), exist_ok=True)
        open(p, "w").write(txt)
    H = t.get("headers", {})
    res = {"name": name, "kind": t.get("kind", "peer"), "note": t.get("note", "")}
    log = os.path.join(w, "log")
    mock = spawn([A.loadkit, "mock", "--port", str(MOCK), "--port429", str(MOCK429), "--chunks", "100", "--interval-ms", "20"], LD)
    time.sleep(0.3)
    env = {"PATH": os.environ["PATH"], "HOME": w, "LANG": "C.UTF-8", **t.get("env", {})}
    p = None

    def start():
        return spawn(t["cmd"], GW, env, t.get("cwd", w), log)

    try:
        nb = bodyfile(t, w, t.get("model", "gpt-4o-mini"), False)
        sb = bodyfile(t, w, t.get("model", "gpt-4o-mini"), True)
        nbody = open(nb).read()
        if "cmd" in t:
            os.sync()  # what others wrote is not waited for by the target's own commits
            t0 = time.time()
            p = start()
            up, why = wait200(port, path, H, nbody, p)
            if up is None:
                res["error"] = why
                return res
            res["cold_start_ms"] = round((time.time() - t0) * 1000)
            time.sleep(4)
            res["idle_pss_mb"] = mem_mb(p.pid, "pss")
            res["idle_rss_mb"] = mem_mb(p.pid, "VmRSS")
            c0 = cpu_s(p.pid)
            time.sleep(3)
            res["idle_cpu_pct"] = round((cpu_s(p.pid) - c0) / 3 * 100, 1)
        else:
            up, why = wait200(port, path, H, nbody, None, 5)
        pid = p.pid if p else mock.pid
        HJ = {**H, "accept": "application/json"}
        # One request after the other: with a core for the target alone, ...
        slow = t.get("slow", False)
        n = t.get("seq_n", 300 if A.quick or slow else 3000)
        c0 = cpu_s(pid)
        out = tool([A.loadkit, "seq", "--addr", f"127.0.0.1:{port}", "--path", path, "--body", nb, "--n", str(n), "--warmup", str(t.get("seq_warmup", n // 5)), "--limit-s", "40"] + hdr(HJ))
        res["seq"] = json.loads(out)
        # ... and with everything on one core, where no core waits to be woken by another: the work itself.
        if p:
            repin(pid, LD)
        out = tool([A.loadkit, "seq", "--addr", f"127.0.0.1:{port}", "--path", path, "--body", nb, "--n", str(n), "--warmup", str(t.get("seq_warmup", n // 5)), "--limit-s", "40"] + hdr(HJ))
        res["seq1"] = json.loads(out)
        if p:
            repin(pid, GW)
        # As many requests as 64 connections can carry.
        lua = os.path.join(w, "post.lua")
        open(lua, "w").write('wrk.method="POST"\nwrk.body=[==[' + nbody + ']==]\nwrk.headers["content-type"]="application/json"\n' + "".join(f'wrk.headers["{k}"]=[==[{v}]==]\n' for k, v in HJ.items()))
        d = 4 if A.quick else 8
        url = f"http://127.0.0.1:{port}{path}"
        tool(["wrk", "-t1", "-c64", "-d3s", "-s", lua, url])
        time.sleep(0.5)
        if p:
            reset_hwm(pid)
        c0, b0, m0 = cpu_s(pid), busy_s(), mine_s(pid, mock.pid) if p else mine_s(mock.pid)
        out = tool(["wrk", "-t1", "-c64", f"-d{d}s", "--timeout", "20s", "--latency", "-s", lua, url])
        c1 = cpu_s(pid)
        other = busy_s() - b0 - ((mine_s(pid, mock.pid) if p else mine_s(mock.pid)) - m0)
        g = lambda rx: (re.search(rx, out, re.M) or [None, None])[1]
        reqs = int(g(r"(\d+) requests in") or 0)
        bad = int(g(r"Non-2xx or 3xx responses: (\d+)") or 0)
        se = g(r"Socket errors: (.*)")
        res["c64"] = {"rps": float(g(r"Requests/sec:\s+([\d.]+)") or 0), "p50": g(r"^\s+50%\s+(\S+)"), "p99": g(r"^\s+99%\s+(\S+)"), "non200": bad, "socket_errors": se,
                      "cpu_us_per_req": round((c1 - c0) * 1e6 / reqs, 1) if reqs else None, "reqs": reqs, "foreign_cpu_pct": round(max(other, 0) / d * 100, 1), "peak_rss_mb": mem_mb(pid, "VmHWM")}
        # Many streams at a time.
        for conns in ([200] if A.quick else [200, 1000]):
            time.sleep(1)
            if p:
                reset_hwm(pid)
            c0 = cpu_s(pid)
            out = tool([A.loadkit, "stream", "--addr", f"127.0.0.1:{port}", "--path", path, "--body", sb, "--conns", str(conns), "--ramp-ms", str(conns), "--expect", "100", "--limit-s", "60"] + hdr({**H, "accept": "*/*"}))
            r = json.loads(out)
            r["cpu_s"] = round(cpu_s(pid) - c0, 2)
            r["peak_rss_mb"] = mem_mb(pid, "VmHWM")
            res[f"stream{conns}"] = r
            if p and p.poll() is not None:
                res["died"] = f"during stream{conns}: {p.returncode}"
                return res
        time.sleep(1)
        if p:
            res["rss_after_mb"] = mem_mb(pid, "VmRSS")
            # A client that hangs up. Streams that an overloaded target still holds must drain first.
            q0 = time.time()
            while time.time() - q0 < 20 and (lambda x: x["streams"] > x["stream_done"] + x["stream_abort"])(stats()):
                time.sleep(0.2)
            time.sleep(0.3)
            try:
                tries = [abort_test(port, path, H, open(sb).read()) for _ in range(5)]
                res["abort_ms"] = None if None in tries else max(tries)
            except OSError as e:
                res["abort_error"] = str(e)
            # A first account that answers 429.
            fo = t.get("failover")
            if fo:
                FH = {**H, **fo.get("headers", {}), "accept": "application/json"}
                fb = bodyfile(t, w, fo.get("model", t.get("model", "gpt-4o-mini")), False)
                s0 = stats()
                out = tool([A.loadkit, "seq", "--addr", f"127.0.0.1:{fo.get('port', port)}", "--path", fo.get("path", path), "--body", fb, "--n", "20", "--warmup", "0", "--each", "1", "--limit-s", "60"] + hdr(FH))
                r = json.loads(out)
                s1 = stats()
                r["upstream_429"] = s1["r429"] - s0["r429"]
                r["upstream_200"] = s1["r200"] - s0["r200"]
                res["failover"] = r
            # Requests that are none.
            bad = {}
            for k, b in {"bad_json": '{"model": "x", ', "no_model": json.dumps({"messages": MSG}), "unknown_model": json.dumps({"model": "no-such-model-xyz", "messages": MSG, "stream": False}),
                         "no_messages": json.dumps({"model": t.get("model", "gpt-4o-mini"), "stream": False}), "not_json": "hello"}.items():
                try:
                    s, x = post(port, path, H, b, 20)
                    bad[k] = [s, x[:220].decode("utf8", "replace")]
                except Exception as e:
                    bad[k] = [0, str(e)]
            res["bad_input"] = bad
            # SIGTERM while 20 streams run.
            q = subprocess.Popen([A.loadkit, "stream", "--addr", f"127.0.0.1:{port}", "--path", path, "--body", sb, "--conns", "20", "--ramp-ms", "0", "--limit-s", "20"] + hdr({**H, "accept": "*/*"}), stdout=subprocess.PIPE, text=True)
            time.sleep(0.8)
            dt, rc = stop(p)
            r = json.loads(q.communicate(timeout=40)[0])
            res["sigterm"] = {"exit_s": dt, "rc": rc, "streams_completed": r["complete"], "of": 20}
        return res
    except Exception as e:
        res["error"] = f"{type(e).__name__}: {e}"
        return res
    finally:
        if p:
            stop(p)
        stop(mock)


def f(x, d=0):
    return "–" if x is None else f"{x:,.{d}f}"


def table(rs):
    by = {r["name"]: r for r in rs}
    d, ng = by.get("direct"), by.get("nginx")
    L = ["| target | cold start ms | idle RSS MB | c1 p50 µs | c1 p99 µs | one-core added p50 µs | added p99 µs | × nginx added | c64 req/s | × nginx | CPU µs/req | non-200 |", "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"]
    for r in rs:
        if r.get("error") and "seq" not in r:
            L.append(f"| {r['name']} | failed: {r['error'][:80]} |" + " |" * 10)
            continue
        p50 = get(r, "seq", "us", "p50")
        x50, x99 = get(r, "seq1", "us", "p50"), get(r, "seq1", "us", "p99")
        add = x50 - get(d, "seq1", "us", "p50") if d and x50 is not None else None
        add99 = x99 - get(d, "seq1", "us", "p99") if d and x99 is not None else None
        nadd = get(ng, "seq1", "us", "p50") - get(d, "seq1", "us", "p50") if ng and d else None
        rps, nr = get(r, "c64", "rps"), get(ng, "c64", "rps")
        L.append(f"| {r['name']} | {f(r.get('cold_start_ms'))} | {f(r.get('idle_rss_mb'),1)} | {f(p50,1)} | {f(get(r,'seq','us','p99'),1)} | {f(add,1)} | {f(add99,1)} | {f(add/nadd,1) if add is not None and nadd else '–'} | {f(rps)} | {f(rps/nr,3) if rps and nr else '–'} | {f(get(r,'c64','cpu_us_per_req'),1)} | {get(r,'c64','non200')} |")
    for c in (200, 1000):
        L += ["", f"{c} streams × 100 chunks / 20 ms:", "", "| target | complete | chunks lost | TTFT p50 ms | TTFT p99 ms | chunk delay p50 ms | p99 ms | gateway CPU s | × nginx | peak RSS MB |", "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"]
        for r in rs:
            s = r.get(f"stream{c}")
            if not s:
                continue
            nc = get(ng, f"stream{c}", "cpu_s")
            k = lambda a, b: f((get(s, a, b) or 0) / 1000, 2) if get(s, a, b) is not None else "–"
            L.append(f"| {r['name']} | {s['complete']}/{c} | {s['lost']:,} | {k('ttft_us','p50')} | {k('ttft_us','p99')} | {k('chunk_us','p50')} | {k('chunk_us','p99')} | {s['cpu_s'] if r['name']!='direct' else '–'} | {f(s['cpu_s']/nc,1) if nc and r['name']!='direct' else '–'} | {s['peak_rss_mb'] if r['name']!='direct' else '–'} |")
    L += ["", "| target | failover 200s/20 | first ms | then p50 ms | upstream 429s seen | client hangs up → upstream | SIGTERM: exit s, rc, streams finished |", "|---|--:|--:|--:|--:|---|---|"]
    for r in rs:
        if r["name"].startswith("direct") or "seq" not in r:
            continue
        fo, st = r.get("failover"), r.get("sigterm", {})
        e = (fo or {}).get("each", [])
        rest = sorted(x[1] for x in e[1:])
        L.append(f"| {r['name']} | {fo['ok'] if fo else '–'} | {f(e[0][1]/1000,1) if e else '–'} | {f(rest[len(rest)//2]/1000,2) if rest else '–'} | {fo['upstream_429'] if fo else '–'} | {f(r.get('abort_ms'),1)} ms | {st.get('exit_s','–')} s, {st.get('rc','–')}, {st.get('streams_completed','–')}/20 |")
    return "\n".join(L)


def get(r, *ks):
    for k in ks:
        if not isinstance(r, dict):
            return None
        r = r.get(k)
    return r


def main():
    files = sorted(os.listdir(A.targets))
    T = {}
    for x in files:
        if x.endswith(".toml"):
            T[x[:-5]] = tomllib.load(open(os.path.join(A.targets, x), "rb"))
    order = sorted(T, key=lambda n: (T[n].get("order", 50), n))
    if A.only:
        order = [n for n in order if n in A.only.split(",")]
    order = [n for n in order if n not in A.skip.split(",")]
    runs = []
    for run in range(1, A.runs + 1):
        rs = []
        for n in order:
            t0 = time.time()
            r = bench(T[n], n)
            rs.append(r)
            print(f"[run {run}, {time.time()-t0:5.1f}s] {n}: " + (r.get("error") or r.get("died") or f"p50 {get(r,'seq','us','p50')} µs, {get(r,'c64','rps')} req/s"), file=sys.stderr, flush=True)
            json.dump(rs, open(os.path.join(A.out, f"run-{run}.json"), "w"), indent=1)
        runs.append(rs)
        print(f"Run {run}\n\n{table(rs)}\n", flush=True)
    print(marks.table(runs))
    print(f"\nAll numbers: {A.out}/run-*.json", file=sys.stderr)


try:
    main()
finally:
    for q in live:
        if q.poll() is None:
            q.kill()
