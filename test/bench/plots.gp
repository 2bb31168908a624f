# Plots of the benchmark: gnuplot -e "dir='DIRECTORY OF RESULTS'" plots.gp
set datafile separator tab
set style data linespoints
set grid
set key left top

servers = '"httpd, no stapling" "httpd, mod_ssl" "httpd, mod_md" "nginx" "httpd, mod_ocspx"'
caches = '"malloc + memcpy" "mod_ocspx" "shmcb"'
name(i) = word(servers, i)

# Rows of a file whose columns are as said: "1=cold 3=threads", and which to
# show; see the headers of the files.
pick(file, wanted, columns) = sprintf("< awk -F'\t' -v OFS='\t' -v wanted='%s' -v columns='%s' 'BEGIN { n = split(wanted, w, \";\"); m = split(columns, c, \" \") } NR > 1 { for (i = 1; i <= n; i++) { split(w[i], p, \"=\"); if ($p[1] != p[2]) next } for (i = 1; i <= m; i++) printf \"%%s%%s\", $c[i], i < m ? OFS : \"\n\" }' '%s/%s.tsv'", wanted, columns, dir, file)
has(file) = system(sprintf("test -s '%s/%s.tsv' && echo 1 || echo 0", dir, file)) + 0

do for [kind in "svg png"] {
    if (kind eq "svg") { set terminal svg size 900,420 dynamic background "white" font "sans,12" }
    if (kind eq "png") { set terminal pngcairo size 1350,630 font "sans,16" }

    if (has("hang-curve")) {
        set output sprintf("%s/bench-hang.%s", dir, kind)
        set multiplot layout 1,2 title "Handshakes while the responder hangs"
        set logscale xy
        set xrange [1:0.0003]
        set xlabel "part of the handshakes that took longer"
        set ylabel "ms"
        do for [phase in "cold warm"] {
            set title phase
            plot for [i=1:5] pick("hang-curve", sprintf("1=%s;2=%s", phase, name(i)), "3 4") using 1:2 title name(i) with lines lw 2
        }
        unset multiplot
        unset logscale
        set xrange [*:*]
    }

    if (has("cache")) {
        set output sprintf("%s/bench-cache.%s", dir, kind)
        set multiplot layout 1,2 title "The cache alone, with a writer running"
        set xlabel "readers"
        set ylabel "million reads/s"
        set yrange [0:*]
        do for [certs in "1 1000"] {
            set title sprintf("%s certificate%s", certs, certs eq "1" ? "" : "s")
            plot for [i=1:3] pick("cache", sprintf("1=%s;2=%s;3=threads", word(caches, i), certs), "4 5") using 1:2 title word(caches, i).", threads" lw 2, \
                 for [i=1:3] pick("cache", sprintf("1=%s;2=%s;3=processes", word(caches, i), certs), "4 5") using 1:2 title word(caches, i).", processes" dt 2
        }
        unset multiplot
        set yrange [*:*]
    }

    if (has("many")) {
        set output sprintf("%s/bench-many.%s", dir, kind)
        set multiplot layout 1,2 title "Many virtual hosts with a certificate each"
        set logscale xy
        set xlabel "certificates"
        set title "until all of them are stapled"
        set ylabel "s"
        plot for [i=2:5] pick("many", sprintf("1=%s", name(i)), "2 7 8") using 1:($1 == $2 ? $3 : NaN) title name(i) lw 2
        set title "memory of all processes"
        set ylabel "MB"
        plot for [i=1:5] pick("many", sprintf("1=%s", name(i)), "2 9") using 1:2 title name(i) lw 2
        unset multiplot
        unset logscale
    }
}
