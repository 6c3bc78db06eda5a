# Reads a kernel's assembly, of NVIDIA, AMD or Intel: of the loop with the most multiply-adds, or of all where there is none,
#   multiply-adds, their share of the instructions, words read from local memory for each; then how many of how many words: reads of local
#   memory, reads of global memory, writes to local memory; barriers; instructions
function width(text) { return text ~ /128|b128|x4|dwordx4/ ? 4 : text ~ /b96|x3/ ? 3 : text ~ /64|b64|x2/ ? 2 : 1 }
{ line[++n] = $0 }
/^[ \t]*[.A-Za-z_0-9]+:/ { l = $1; sub(/:.*/, "", l); at[l] = n }
END {
    for (i = 1; i <= n; i++) { # prefix sums of multiply-adds; backward branches
        t = line[i]; f = 0
        if (t ~ /FFMA|DFMA|v_fma_f32|v_fma_f64/ ) f = 1
        if (t ~ /HMMA|v_wmma|v_mfma|dpas/) f = 1
        if (t ~ /v_(dual_)?(fmac|fma|mac)_(f32|legacy)/) { f = gsub(/v_(dual_)?(fmac|fma|mac)_f32|v_dual_fma[a-z]*_f32/, "&", t) }
        if (t ~ /v_pk_fma_f32/) f = 2
        if (t ~ /^ *(\([^)]*\) *)?mad \(/ && t ~ /:f/) f = 1
        sum[i] = sum[i - 1] + f
    }
    best = 0; from = 1; to = n
    for (i = 1; i <= n; i++) {
        t = line[i]
        if (t !~ /BRA|s_c?branch|jmpi|goto|while/) continue
        gsub(/[`();,@]/, " ", t); k = split(t, w, /[ \t]+/)
        for (j = 1; j <= k; j++) if ((w[j] in at) && at[w[j]] < i) {
            f = sum[i] - sum[at[w[j]] - 1]
            if (f > best || (f == best && f && i - at[w[j]] < to - from)) { best = f; from = at[w[j]]; to = i }
        }
    }
    if (!best) best = sum[n] # no loop: the whole kernel
    for (i = from; i <= to; i++) {
        t = line[i]; sub(/^[ \t]*(\/\*[0-9a-f]*\*\/)?[ \t]*/, "", t); sub(/^@!?U?P[0-9T]+ */, "", t); sub(/^\([^)]*\) */, "", t)
        if (t ~ /^[;.\/#]/ || t ~ /^[.A-Za-z_0-9]+:/ || t == "" || t ~ /^sync.nop/) continue
        op = t; sub(/[ \t;].*/, "", op); all++
        if (op ~ /^LDS|^ds_(read|load)/) { m = op ~ /read2|2addr/ ? 2 : 1; x = m * width(op == "ds_read2st64_b32" || op == "ds_load_2addr_stride64_b32" ? "b32" : op); lds[x]++; ldw += x }
        else if (op ~ /^load\.slm/) { x = op ~ /x4/ ? 4 : op ~ /x8/ ? 8 : op ~ /x2|d64/ ? 2 : 1; lds[x]++; ldw += x }
        else if (op ~ /^LDG|^LD\.E|^(global|flat|buffer)_load|^load\.ugm/) { x = width(op); gl[x]++ }
        else if (op ~ /^STS|^ds_(write|store)/) { m = op ~ /write2|2addr/ ? 2 : 1; st[m * width(op ~ /st64|stride64/ ? "b32" : op)]++ }
        else if (op ~ /^store\.slm/) st[op ~ /x4/ ? 4 : op ~ /x2/ ? 2 : 1]++
        else if (op ~ /^BAR|^s_barrier|^sync\.bar/) bar++
        else if (op ~ /^LDL|^STL|^scratch_/) local_spill++
    }
    printf "%d\t%.0f%%\t%.2f\t%s\t%s\t%s\t%d\t%d\n", best, all ? 100 * best / all : 0, best ? ldw / best : 0, list(lds), list(gl), list(st), bar, all
}
function list(a, x, s) { s = ""; for (x = 1; x <= 8; x++) if (x in a) s = s (s ? " " : "") a[x] "x" x; return s == "" ? "-" : s }
