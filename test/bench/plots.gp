# Plots of the benchmark: gnuplot -e "dir='DIRECTORY OF RESULTS'" plots.gp
# Columns are those of the files' headers. Rows that are not to be shown are
# made missing.
set datafile separator tab
set datafile missing NaN
set style data linespoints
set grid

servers = "'httpd, no stapling' 'httpd, mod_ssl' 'httpd, mod_md' nginx 'httpd, mod_ocspx'"
caches = "'malloc + memcpy' mod_ocspx shmcb"
server(i) = word(servers, i)
cache(i) = word(caches, i)
file(name) = sprintf("%s/%s.tsv", dir, name)
has(name) = system(sprintf("test -s '%s' && echo 1 || echo 0", file(name))) + 0
only(wanted, value) = wanted ? value : NaN

# By server; the caches are the first, the last and the second of these.
set linetype 1 lc "#888888" lw 2 pt 1
set linetype 2 lc "#cc2222" lw 2 pt 2
set linetype 3 lc "#dd8800" lw 2 pt 4
set linetype 4 lc "#229944" lw 2 pt 6
set linetype 5 lc "#1155cc" lw 3 pt 7
like(i) = i == 1 ? 1 : i == 2 ? 5 : 2
set key below height 1.5
set xlabel offset 0,0.6

do for [kind in "svg png"] {
    if (kind eq "svg") {
        set terminal svg noenhanced size 900,420 dynamic background "white" font "sans,12"
    } else {
        set terminal pngcairo noenhanced size 1350,630 font "sans,16"
    }

    if (has("hang-curve")) {
        set output sprintf("%s/bench-hang.%s", dir, kind)
        set multiplot layout 1,2 title "Handshakes while the responder hangs"
        set logscale xy
        set xrange [1:0.0003]
        set xlabel "part of the handshakes that took longer"
        set ylabel "ms"
        do for [phase in "cold warm"] {
            set title phase
            plot for [i=1:5] file("hang-curve") skip 1 \
                using (only(strcol(1) eq phase && strcol(2) eq server(i), $3)):4 \
                with lines lt i title server(i)
        }
        unset multiplot
        unset logscale
        set xrange [*:*]
    }

    if (has("cache")) {
        set output sprintf("%s/bench-cache.%s", dir, kind)
        set multiplot layout 1,2 title "The cache alone, with a writer running"
        set xlabel "readers, threads or (dashed) processes"
        set ylabel "million reads/s"
        set yrange [0:*]
        do for [certs in "1 1000"] {
            set title sprintf("%s certificate%s", certs, certs eq "1" ? "" : "s")
            plot for [i=1:3] file("cache") skip 1 \
                using (only(strcol(1) eq cache(i) && strcol(2) eq certs && strcol(3) eq "threads", $4)):5 \
                lt like(i) title cache(i), \
                for [i=1:3] file("cache") skip 1 \
                using (only(strcol(1) eq cache(i) && strcol(2) eq certs && strcol(3) eq "processes", $4)):5 \
                lt like(i) dt 2 notitle
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
        plot for [i=2:5] file("many") skip 1 \
            using (only(strcol(1) eq server(i) && $2 == $7, $2)):8 \
            lt i title server(i)
        set title "memory of all processes then"
        set ylabel "MB"
        plot for [i=1:5] file("many") skip 1 \
            using (only(strcol(1) eq server(i) && (i == 1 || $2 == $7), $2)):9 \
            lt i title server(i)
        unset multiplot
        unset logscale
    }
}
